/* Mostly memory copies: the first 128 bytes go to a map, the addresses are rewritten from a template, and two headers change places. */
#include "net.h"

#define SAMPLE_SIZE 128

struct sample {
	u8 bytes[SAMPLE_SIZE];
	u64 time;
	u32 length;
	u32 queue;
};

struct template {
	u8 ether[12];
	u8 ipv4[20];
	u8 trailer[96];
};

MAP(samples, MAP_ARRAY, u32, struct sample, 16);
MAP(templates, MAP_ARRAY, u32, struct template, 4);

SECTION("xdp")
int sample(struct xdp_md *context)
{
	void *start = PACKET_START(context), *end = PACKET_END(context);
	u32 key = context->rx_queue_index & 15;
	struct sample *slot = map_lookup(&samples, &key);

	if (!slot)
		return XDP_ABORTED;
	if (start + SAMPLE_SIZE > end)
		return XDP_PASS;
	__builtin_memcpy(slot->bytes, start, SAMPLE_SIZE);
	slot->length = end - start;
	slot->queue = context->rx_queue_index;
	return XDP_PASS;
}

SECTION("xdp")
int rewrite(struct xdp_md *context)
{
	void *start = PACKET_START(context), *end = PACKET_END(context);
	u32 key = 1;
	struct template *template = map_lookup(&templates, &key);
	u8 kept[20];

	if (!template)
		return XDP_ABORTED;
	if (start + 54 > end)
		return XDP_PASS;
	__builtin_memcpy(kept, start + 14, 20);
	__builtin_memcpy(start, template->ether, 12);
	__builtin_memcpy(start + 14, start + 34, 20);
	__builtin_memcpy(start + 34, kept, 20);
	__builtin_memcpy(template->ipv4, kept, 20);
	return XDP_TX;
}

SECTION("xdp")
int duplicate(struct xdp_md *context)
{
	u32 from = 2, to = 3;
	struct template *source = map_lookup(&templates, &from);
	struct template *target = map_lookup(&templates, &to);

	if (!source || !target)
		return XDP_ABORTED;
	*target = *source;
	__builtin_memset(source->trailer, 0, sizeof(source->trailer));
	return XDP_PASS;
}

LICENSE("MIT");
