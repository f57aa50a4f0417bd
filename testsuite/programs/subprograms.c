/* Functions of every kind: static ones in .text, global ones that the kernel checks by themselves, two programs in one section. */
#include "net.h"

MAP(results, MAP_ARRAY, u32, u64, 8);

static NOINLINE u32 sum_bytes(const u8 *bytes, u32 count)
{
	u32 sum = 0;

	for (u32 i = 0; i < 16; i++) {
		if (i >= count)
			break;
		sum += bytes[i];
	}
	return sum;
}

static NOINLINE void record(u32 slot, u64 value)
{
	u64 *result = map_lookup(&results, &slot);

	if (result)
		*result = value;
}

static NOINLINE u64 power(u64 base, u32 exponent)
{
	u64 product = 1;

	for (int i = 0; i < 32 && exponent; i++) {
		if (exponent & 1)
			product *= base;
		base *= base;
		exponent >>= 1;
	}
	return product;
}

NOINLINE int ether_type(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	struct ether *ether = take(&cursor, sizeof(*ether));

	return ether ? NET16(ether->type) : -1;
}

NOINLINE u64 blend(u32 first, u64 second, u32 third)
{
	return power(second | 1, first & 31) ^ ((u64)third << 32 | first);
}

static NOINLINE int classify(int type)
{
	switch (type) {
	case ETHER_IPV4:
	case ETHER_IPV6:
		return XDP_PASS;
	case ETHER_ARP:
		return XDP_TX;
	default:
		return XDP_DROP;
	}
}

SECTION("xdp")
int by_type(struct xdp_md *context)
{
	int type = ether_type(context);

	if (type < 0)
		return XDP_ABORTED;
	record(0, type);
	return classify(type);
}

SECTION("xdp")
int by_sum(struct xdp_md *context)
{
	u8 header[14];
	void *start = PACKET_START(context);
	u32 sum;

	if (start + sizeof(header) > PACKET_END(context))
		return XDP_ABORTED;
	__builtin_memcpy(header, start, sizeof(header));
	sum = sum_bytes(header, sizeof(header));
	record(1, sum);
	record(2, blend(sum, sum * 3, header[0]));
	return sum & 1 ? XDP_PASS : XDP_DROP;
}

SECTION("tc")
int by_length(struct __sk_buff *skb)
{
	record(3, power(3, skb->len & 63));
	return skb->len > 100 ? TC_OK : TC_DROP;
}

LICENSE("MIT");
