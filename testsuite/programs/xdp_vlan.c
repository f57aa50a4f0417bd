/* Parses up to three VLAN tags and the headers behind them, and keeps what it saw of the latest packet of each kind. */
#include "net.h"

#define MAX_TAGS 3

struct summary {
	u16 tags[MAX_TAGS];
	u8 tag_count;
	u8 protocol;
	u16 type;
	u16 network_offset;
	u16 transport_offset;
	be16 source_port;
	be16 destination_port;
	u8 priority;
	u8 is_fragment;
	u32 length;
};

MAP(latest, MAP_ARRAY, u32, struct summary, 8);

INLINE u32 kind_of(const struct summary *summary)
{
	switch (summary->protocol) {
	case PROTOCOL_TCP:
		return 1;
	case PROTOCOL_UDP:
		return 2;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return 3;
	case PROTOCOL_IPIP:
	case PROTOCOL_IPV6:
		return 4;
	default:
		return summary->type == ETHER_ARP ? 5 : 0;
	}
}

INLINE be16 parse_tags(struct cursor *cursor, be16 type, struct summary *summary)
{
#pragma clang loop unroll(full)
	for (int i = 0; i < MAX_TAGS; i++) {
		struct vlan *vlan;

		if (type != NET16(ETHER_VLAN) && type != NET16(ETHER_SERVICE_VLAN))
			break;
		vlan = take(cursor, sizeof(*vlan));
		if (!vlan)
			break;
		summary->tags[i] = NET16(vlan->tag) & 0xfff;
		summary->priority = NET16(vlan->tag) >> 13;
		summary->tag_count = i + 1;
		type = vlan->type;
	}
	return type;
}

SECTION("xdp")
int parse(struct xdp_md *context)
{
	void *start = PACKET_START(context);
	struct cursor cursor = { start, PACKET_END(context) };
	struct ether *ether = take(&cursor, sizeof(*ether));
	struct summary summary = {};
	struct summary *slot;
	u32 kind;

	if (!ether)
		return XDP_ABORTED;
	summary.length = cursor.end - start;
	summary.type = NET16(parse_tags(&cursor, ether->type, &summary));
	summary.network_offset = cursor.at - start;
	if (summary.type == ETHER_IPV4) {
		struct ipv4 *ip = take(&cursor, sizeof(*ip));

		if (!ip)
			return XDP_ABORTED;
		summary.protocol = ip->protocol;
		summary.is_fragment = (ip->fragment & NET16(IPV4_FRAGMENT_MASK)) != 0;
	} else if (summary.type == ETHER_IPV6) {
		struct ipv6 *ip = take(&cursor, sizeof(*ip));

		if (!ip)
			return XDP_ABORTED;
		summary.protocol = ip->next_header;
		if (ip->next_header == PROTOCOL_FRAGMENT) {
			u8 *fragment = take(&cursor, 8);

			if (!fragment)
				return XDP_ABORTED;
			summary.protocol = fragment[0];
			summary.is_fragment = 1;
		}
	}
	summary.transport_offset = cursor.at - start;
	if (!summary.is_fragment && (summary.protocol == PROTOCOL_TCP || summary.protocol == PROTOCOL_UDP)) {
		struct ports *ports = take(&cursor, sizeof(*ports));

		if (ports) {
			summary.source_port = ports->source;
			summary.destination_port = ports->destination;
		}
	}
	kind = kind_of(&summary);
	slot = map_lookup(&latest, &kind);
	if (slot)
		*slot = summary;
	return summary.tag_count ? XDP_PASS : XDP_DROP;
}

LICENSE("MIT");
