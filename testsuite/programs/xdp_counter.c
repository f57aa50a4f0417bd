/* Counts packets and bytes by IP protocol and lets every packet pass. */
#include "net.h"

struct count {
	u64 packets;
	u64 bytes;
};

MAP(counts, MAP_PERCPU_ARRAY, u32, struct count, 256);

SECTION("xdp")
int count_packets(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	u64 length = cursor.end - cursor.at;
	struct ether *ether = take(&cursor, sizeof(*ether));
	struct count *count;
	u32 protocol = 0;

	if (!ether)
		return XDP_DROP;
	if (ether->type == NET16(ETHER_IPV4)) {
		struct ipv4 *ip = take(&cursor, sizeof(*ip));

		if (ip)
			protocol = ip->protocol;
	} else if (ether->type == NET16(ETHER_IPV6)) {
		struct ipv6 *ip = take(&cursor, sizeof(*ip));

		if (ip)
			protocol = ip->next_header;
	}
	count = map_lookup(&counts, &protocol);
	if (count) {
		count->packets++;
		count->bytes += length;
	}
	return XDP_PASS;
}

LICENSE("MIT");
