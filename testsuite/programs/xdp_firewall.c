/*
 * A firewall: sources on a deny list of prefixes are dropped, packets to open ports pass, replies to connections which
 * were opened from inside pass, and everything else is dropped. Every verdict is counted by its reason.
 */
#include "net.h"

enum reason { REASON_SHORT, REASON_NOT_IP, REASON_DENIED, REASON_OPEN_PORT, REASON_ESTABLISHED, REASON_ICMP, REASON_FRAGMENT, REASON_DEFAULT, REASONS };

struct prefix {
	u32 bits;
	u8 address[16];
};

struct port_key {
	be16 port;
	u8 protocol;
	u8 padding;
};

struct established {
	be32 remote[4];
	be16 remote_port;
	be16 local_port;
	u32 protocol;
};

struct {
	MAP_NUMBER(type, MAP_PREFIX_TREE);
	MAP_NUMBER(max_entries, 1024);
	MAP_NUMBER(map_flags, MAP_NO_PREALLOCATION);
	MAP_TYPE(key, struct prefix);
	MAP_TYPE(value, u32);
} denied SECTION(".maps");
MAP(open_ports, MAP_HASH, struct port_key, u32, 1024);
MAP(inside, MAP_LRU_HASH, struct established, u64, 16384);
MAP(verdicts, MAP_PERCPU_ARRAY, u32, u64, REASONS);

INLINE int verdict(u32 reason, int action)
{
	u64 *counter = map_lookup(&verdicts, &reason);

	if (counter)
		(*counter)++;
	return action;
}

INLINE int is_denied(const void *address, u32 size)
{
	struct prefix prefix = { .bits = size * 8 };

	__builtin_memcpy(prefix.address, address, size);
	return map_lookup(&denied, &prefix) != NULL;
}

SECTION("xdp")
int filter(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	struct ether *ether = take(&cursor, sizeof(*ether));
	struct established flow = {};
	struct port_key port = {};
	struct ports *ports;
	u8 protocol;
	u64 *seen;

	if (!ether)
		return verdict(REASON_SHORT, XDP_DROP);
	if (ether->type == NET16(ETHER_IPV4)) {
		struct ipv4 *ip = take(&cursor, sizeof(*ip));
		u32 options;

		if (!ip)
			return verdict(REASON_SHORT, XDP_DROP);
		if (is_denied(&ip->source, 4))
			return verdict(REASON_DENIED, XDP_DROP);
		options = (ip->version_and_length & 15) * 4;
		if (options < sizeof(*ip))
			return verdict(REASON_SHORT, XDP_DROP);
		options -= sizeof(*ip);
		if (ip->fragment & NET16(0x1fff))
			return verdict(REASON_FRAGMENT, XDP_DROP);
		if (options && !take(&cursor, options))
			return verdict(REASON_SHORT, XDP_DROP);
		flow.remote[0] = ip->source;
		protocol = ip->protocol;
	} else if (ether->type == NET16(ETHER_IPV6)) {
		struct ipv6 *ip = take(&cursor, sizeof(*ip));

		if (!ip)
			return verdict(REASON_SHORT, XDP_DROP);
		if (is_denied(ip->source, 16))
			return verdict(REASON_DENIED, XDP_DROP);
		__builtin_memcpy(flow.remote, ip->source, 16);
		protocol = ip->next_header;
	} else {
		return verdict(REASON_NOT_IP, XDP_PASS);
	}
	if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6)
		return verdict(REASON_ICMP, XDP_PASS);
	if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP)
		return verdict(REASON_DEFAULT, XDP_DROP);
	ports = take(&cursor, sizeof(*ports));
	if (!ports)
		return verdict(REASON_SHORT, XDP_DROP);
	port.port = ports->destination;
	port.protocol = protocol;
	if (map_lookup(&open_ports, &port))
		return verdict(REASON_OPEN_PORT, XDP_PASS);
	flow.remote_port = ports->source;
	flow.local_port = ports->destination;
	flow.protocol = protocol;
	seen = map_lookup(&inside, &flow);
	if (seen) {
		__sync_fetch_and_add(seen, 1);
		return verdict(REASON_ESTABLISHED, XDP_PASS);
	}
	return verdict(REASON_DEFAULT, XDP_DROP);
}

LICENSE("MIT");
