/* A pair of programs: the first parses Ethernet and jumps by a program array into the second, which finishes. */
#include "net.h"

struct scratch {
	u32 offset;
	u32 protocol;
};

MAP(next, MAP_PROGRAM_ARRAY, u32, u32, 4);
MAP(scratch, MAP_PERCPU_ARRAY, u32, struct scratch, 1);
MAP(missed, MAP_PERCPU_ARRAY, u32, u64, 1);

SECTION("xdp")
int first(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	struct ether *ether = take(&cursor, sizeof(*ether));
	u32 zero = 0;
	struct scratch *shared = map_lookup(&scratch, &zero);
	u64 *counter;

	if (!ether || !shared)
		return XDP_DROP;
	shared->offset = sizeof(*ether);
	shared->protocol = ether->type;
	if (ether->type == NET16(ETHER_IPV4))
		tail_call(context, &next, 0);
	else
		tail_call(context, &next, 1);
	counter = map_lookup(&missed, &zero);
	if (counter)
		(*counter)++;
	return XDP_PASS;
}

SECTION("xdp")
int second(struct xdp_md *context)
{
	void *start = PACKET_START(context), *end = PACKET_END(context);
	u32 zero = 0;
	struct scratch *shared = map_lookup(&scratch, &zero);
	struct ipv4 *ip;
	u32 offset;

	if (!shared)
		return XDP_ABORTED;
	offset = shared->offset;
	if (offset > 64)
		return XDP_DROP;
	ip = start + offset;
	if ((void *)(ip + 1) > end)
		return XDP_DROP;
	if (shared->protocol != NET16(ETHER_IPV4))
		return XDP_PASS;
	return ip->protocol == PROTOCOL_UDP ? XDP_DROP : XDP_PASS;
}

LICENSE("MIT");
