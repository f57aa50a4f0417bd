/*
 * One hop of a router on one port: takes one from the TTL or hop limit, mends the IPv4 checksum by the difference
 * alone, changes the Ethernet addresses over and sends the packet back.
 */
#include "net.h"

MAP(expired, MAP_ARRAY, u32, u64, 2);

INLINE void count_expired(u32 family)
{
	u64 *counter = map_lookup(&expired, &family);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

INLINE void swap_addresses(struct ether *ether)
{
	u16 *a = (u16 *)ether->destination, *b = (u16 *)ether->source;

	for (int i = 0; i < 3; i++) {
		u16 kept = a[i];

		a[i] = b[i];
		b[i] = kept;
	}
}

SECTION("xdp")
int hop(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	struct ether *ether = take(&cursor, sizeof(*ether));

	if (!ether)
		return XDP_DROP;
	if (ether->type == NET16(ETHER_IPV4)) {
		struct ipv4 *ip = take(&cursor, sizeof(*ip));
		u32 sum;

		if (!ip)
			return XDP_DROP;
		if (ip->ttl <= 1) {
			count_expired(0);
			return XDP_DROP;
		}
		ip->ttl--;
		sum = (u32)ip->checksum + NET16(0x0100);
		ip->checksum = (u16)(sum + (sum >= 0xffff));
	} else if (ether->type == NET16(ETHER_IPV6)) {
		struct ipv6 *ip = take(&cursor, sizeof(*ip));

		if (!ip)
			return XDP_DROP;
		if (ip->hop_limit <= 1) {
			count_expired(1);
			return XDP_DROP;
		}
		ip->hop_limit--;
	} else {
		return XDP_PASS;
	}
	swap_addresses(ether);
	return XDP_TX;
}

LICENSE("MIT");
