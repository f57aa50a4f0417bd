/*
 * A quota of bytes for one port: settings and what was spent lie in arrays of one element, as programs kept what is
 * global before data sections. What `--map-as-data` makes of them does the same.
 */
#include "net.h"

struct limit {
	u64 bytes;
	u32 action;
	u32 smallest;
};

struct spent {
	u64 packets;
	u64 bytes;
};

MAP(limits, MAP_ARRAY, u32, struct limit, 1);
MAP(spent_by_all, MAP_ARRAY, u32, struct spent, 1);
MAP(senders, MAP_HASH, u32, u64, 64);

INLINE void count_sender(u32 address)
{
	u64 *count = map_lookup(&senders, &address);

	if (count)
		*count += 1;
}

SECTION("xdp")
int quota(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	u64 length = (u64)(PACKET_END(context) - PACKET_START(context));
	struct ether *ether = take(&cursor, sizeof(*ether));
	u32 first = 0;
	struct limit *limit = map_lookup(&limits, &first);
	struct spent *spent = map_lookup(&spent_by_all, &first);

	if (!ether || !limit || !spent)
		return XDP_ABORTED;
	if (ether->type == NET16(ETHER_IPV4)) {
		struct ipv4 *ip = take(&cursor, sizeof(*ip));

		if (ip)
			count_sender(ip->source);
	}
	if (length < limit->smallest)
		return XDP_PASS;
	spent->packets++;
	if (spent->bytes + length > limit->bytes)
		return (int)limit->action;
	spent->bytes += length;
	return XDP_PASS;
}
