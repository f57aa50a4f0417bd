/*
 * Two traffic-control programs. The first marks packets by their DSCP class and rewrites the class on the way; the
 * second, on the way out, translates one destination address with helpers that mend the checksums.
 */
#include "net.h"

#define OFFSET_SERVICE (sizeof(struct ether) + __builtin_offsetof(struct ipv4, service))
#define OFFSET_CHECKSUM (sizeof(struct ether) + __builtin_offsetof(struct ipv4, checksum))
#define OFFSET_DESTINATION (sizeof(struct ether) + __builtin_offsetof(struct ipv4, destination))
#define OFFSET_UDP_CHECKSUM (sizeof(struct ether) + sizeof(struct ipv4) + __builtin_offsetof(struct udp, checksum))
#define PSEUDO_HEADER 0x10
#define ZERO_IS_NO_CHECKSUM 0x20

MAP(classes, MAP_ARRAY, u32, u32, 64);
MAP(translations, MAP_HASH, be32, be32, 256);

SECTION("tc")
int mark_class(struct __sk_buff *skb)
{
	struct cursor cursor = { PACKET_START(skb), PACKET_END(skb) };
	struct ether *ether = take(&cursor, sizeof(*ether));
	struct ipv4 *ip;
	u16 old, new;
	u32 class;
	u32 *mark;

	if (!ether || ether->type != NET16(ETHER_IPV4))
		return TC_OK;
	ip = take(&cursor, sizeof(*ip));
	if (!ip)
		return TC_DROP;
	class = ip->service >> 2;
	mark = map_lookup(&classes, &class);
	if (!mark)
		return TC_OK;
	skb->mark = *mark;
	skb->priority = class >> 3;
	skb->cb[0] = class;
	old = *(u16 *)ip;
	ip->service = (u8)(*mark << 2 | (ip->service & 3));
	new = *(u16 *)ip;
	replace_l3_checksum(skb, OFFSET_CHECKSUM, old, new, 2);
	return TC_OK;
}

SECTION("tc")
int translate(struct __sk_buff *skb)
{
	struct ipv4 ip;
	be32 *to;

	if (skb->protocol != NET16(ETHER_IPV4))
		return TC_UNSPECIFIED;
	if (skb_load_bytes(skb, sizeof(struct ether), &ip, sizeof(ip)))
		return TC_DROP;
	to = map_lookup(&translations, &ip.destination);
	if (!to)
		return TC_OK;
	if (ip.protocol == PROTOCOL_UDP)
		replace_l4_checksum(skb, OFFSET_UDP_CHECKSUM, ip.destination, *to, PSEUDO_HEADER | ZERO_IS_NO_CHECKSUM | 4);
	replace_l3_checksum(skb, OFFSET_CHECKSUM, ip.destination, *to, 4);
	skb_store_bytes(skb, OFFSET_DESTINATION, to, 4, 0);
	return TC_OK;
}

LICENSE("Dual MIT/GPL");
