/*
 * A layer-4 load balancer. A packet for a service goes to one of the service's real servers, wrapped into a second IP
 * header; later packets of the same connection follow it, and so do the ICMP errors which belong to it.
 * Four lookups on the usual path: service, connection, server, statistics.
 */
#include "net.h"

#define MAX_SERVICES 512
#define MAX_SERVERS 4096
#define MAX_CONNECTIONS 65536
#define ENCAPSULATION_TTL 64
#define IPV4_WORDS 5

enum { FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };
enum { SERVICE_IGNORE_SOURCE_PORT = 1 };
enum { SERVER_IS_IPV6 = 1, SERVER_DRAINED = 2 };

struct service_key {
	be32 address[4];
	be16 port;
	u8 protocol;
	u8 family;
};

struct service {
	u32 id;
	u32 flags;
	u32 first_server;
	u32 servers;
};

struct flow {
	be32 source[4];
	be32 destination[4];
	be16 source_port;
	be16 destination_port;
	u8 protocol;
	u8 family;
	u16 padding;
};

struct connection {
	u32 server;
	u32 packets;
	u64 last_seen;
};

struct server {
	be32 address[4];
	be32 source[4];
	u8 next_hop[6];
	u16 flags;
};

struct statistics {
	u64 packets;
	u64 bytes;
	u64 new_connections;
	u64 failures;
	u64 icmp_errors;
	u64 tcp_opened;
	u64 tcp_closed;
	u64 udp_packets;
	u64 ipv6_packets;
};

MAP(services, MAP_HASH, struct service_key, struct service, MAX_SERVICES);
MAP(connections, MAP_LRU_HASH, struct flow, struct connection, MAX_CONNECTIONS);
MAP(servers, MAP_ARRAY, u32, struct server, MAX_SERVERS);
MAP(totals, MAP_PERCPU_ARRAY, u32, struct statistics, MAX_SERVICES);

/* What was learnt from the packet's headers. */
struct packet {
	struct flow flow;
	u16 ip_length;
	u8 service_type;
	u8 tcp_flags;
	u8 is_error;
};

INLINE void copy_address(be32 *to, const be32 *from)
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

INLINE u32 rotate(u32 value, u32 by)
{
	return (value << by) | (value >> (32 - by));
}

INLINE u32 mix(u32 hash, u32 word)
{
	word *= 0x9e3779b1;
	word = rotate(word, 13);
	word *= 0x85ebca77;
	hash ^= word;
	hash = rotate(hash, 17);
	return hash * 5 + 0x27d4eb2f;
}

INLINE u32 hash_flow(const struct flow *flow, u32 flags)
{
	u32 hash = 0x165667b1;
	u32 ports = flow->destination_port;

	if (!(flags & SERVICE_IGNORE_SOURCE_PORT))
		ports |= (u32)flow->source_port << 16;
	for (int i = 0; i < 4; i++)
		hash = mix(hash, flow->source[i]);
	for (int i = 0; i < 4; i++)
		hash = mix(hash, flow->destination[i]);
	hash = mix(hash, ports);
	hash = mix(hash, flow->protocol | flow->family << 8);
	hash ^= hash >> 15;
	hash *= 0xc2b2ae3d;
	hash ^= hash >> 13;
	return hash;
}

/* Ports of the transport header at the cursor. For the packet inside an error, source and destination change places. */
INLINE int parse_ports(struct cursor *cursor, struct packet *packet)
{
	struct ports *ports = take(cursor, sizeof(*ports));

	if (!ports)
		return -1;
	if (packet->is_error) {
		packet->flow.source_port = ports->destination;
		packet->flow.destination_port = ports->source;
		return 0;
	}
	packet->flow.source_port = ports->source;
	packet->flow.destination_port = ports->destination;
	if (packet->flow.protocol == PROTOCOL_TCP) {
		struct tcp *tcp = (void *)ports;

		if (!take(cursor, sizeof(*tcp) - sizeof(*ports)))
			return -1;
		packet->tcp_flags = tcp->flags;
	} else if (!take(cursor, sizeof(struct udp) - sizeof(*ports))) {
		return -1;
	}
	return 0;
}

INLINE int is_ipv4_error(const struct icmp *icmp)
{
	return icmp->type == 3 || icmp->type == 11 || icmp->type == 12;
}

INLINE int is_ipv6_error(const struct icmp *icmp)
{
	return icmp->type >= 1 && icmp->type <= 4;
}

INLINE int parse_ipv4(struct cursor *cursor, struct packet *packet)
{
	struct ipv4 *ip = take(cursor, sizeof(*ip));

	if (!ip || ip->version_and_length != 0x45)
		return -1;
	if (ip->fragment & NET16(IPV4_FRAGMENT_MASK))
		return -1;
	packet->flow.family = FAMILY_IPV4;
	packet->ip_length = NET16(ip->total_length);
	packet->service_type = ip->service;
	if (ip->protocol == PROTOCOL_ICMP) {
		struct icmp *icmp = take(cursor, sizeof(*icmp));

		if (!icmp || !is_ipv4_error(icmp))
			return -1;
		packet->is_error = 1;
		ip = take(cursor, sizeof(*ip));
		if (!ip || ip->version_and_length != 0x45)
			return -1;
		packet->flow.source[0] = ip->destination;
		packet->flow.destination[0] = ip->source;
	} else {
		packet->flow.source[0] = ip->source;
		packet->flow.destination[0] = ip->destination;
	}
	packet->flow.protocol = ip->protocol;
	return 0;
}

INLINE int parse_ipv6(struct cursor *cursor, struct packet *packet)
{
	struct ipv6 *ip = take(cursor, sizeof(*ip));

	if (!ip)
		return -1;
	packet->flow.family = FAMILY_IPV6;
	packet->ip_length = NET16(ip->payload_length) + sizeof(*ip);
	packet->service_type = NET32(ip->version_and_flow) >> 20;
	if (ip->next_header == PROTOCOL_ICMPV6) {
		struct icmp *icmp = take(cursor, sizeof(*icmp));

		if (!icmp || !is_ipv6_error(icmp))
			return -1;
		packet->is_error = 1;
		ip = take(cursor, sizeof(*ip));
		if (!ip)
			return -1;
		copy_address(packet->flow.source, ip->destination);
		copy_address(packet->flow.destination, ip->source);
	} else {
		copy_address(packet->flow.source, ip->source);
		copy_address(packet->flow.destination, ip->destination);
	}
	packet->flow.protocol = ip->next_header;
	return 0;
}

INLINE struct service *find_service(const struct packet *packet)
{
	struct service_key key = {};

	copy_address(key.address, packet->flow.destination);
	key.port = packet->flow.destination_port;
	key.protocol = packet->flow.protocol;
	key.family = packet->flow.family;
	return map_lookup(&services, &key);
}

INLINE void count(struct statistics *statistics, const struct packet *packet)
{
	statistics->packets++;
	statistics->bytes += packet->ip_length;
	if (packet->flow.family == FAMILY_IPV6)
		statistics->ipv6_packets++;
	if (packet->is_error) {
		statistics->icmp_errors++;
	} else if (packet->flow.protocol == PROTOCOL_UDP) {
		statistics->udp_packets++;
	} else {
		if (packet->tcp_flags & TCP_SYN)
			statistics->tcp_opened++;
		if (packet->tcp_flags & (TCP_FIN | TCP_RST))
			statistics->tcp_closed++;
	}
}

/* The server of a known connection, or one chosen by the flow's hash, which is then remembered. */
INLINE int choose_server(const struct packet *packet, const struct service *service, u32 *server, int *is_new)
{
	struct connection *known = map_lookup(&connections, &packet->flow);
	struct connection fresh = {};
	u64 now = time_nanoseconds();

	if (known && !(packet->tcp_flags & TCP_SYN)) {
		known->packets++;
		known->last_seen = now;
		*server = known->server;
		if (packet->tcp_flags & TCP_RST)
			map_delete(&connections, &packet->flow);
		return 0;
	}
	if (!service->servers)
		return -1;
	fresh.server = service->first_server + hash_flow(&packet->flow, service->flags) % service->servers;
	fresh.packets = 1;
	fresh.last_seen = now;
	*server = fresh.server;
	*is_new = 1;
	if (!packet->is_error)
		map_update(&connections, &packet->flow, &fresh, UPDATE_ANY);
	return 0;
}

INLINE void set_ether(struct ether *ether, const struct ether *old, const struct server *server, be16 type)
{
	for (int i = 0; i < 6; i++) {
		ether->source[i] = old->destination[i];
		ether->destination[i] = server->next_hop[i];
	}
	ether->type = type;
}

INLINE int encapsulate_ipv4(struct xdp_md *context, const struct packet *packet, const struct server *server)
{
	struct ether *ether, *old;
	struct ipv4 *ip;
	u32 sum = 0;
	void *start;

	if (xdp_adjust_head(context, -(int)sizeof(*ip)))
		return -1;
	start = PACKET_START(context);
	if (start + 2 * sizeof(*ether) + sizeof(*ip) > PACKET_END(context))
		return -1;
	ether = start;
	old = start + sizeof(*ip);
	ip = start + sizeof(*ether);
	set_ether(ether, old, server, NET16(ETHER_IPV4));
	ip->version_and_length = 0x45;
	ip->service = packet->service_type;
	ip->total_length = NET16(packet->ip_length + sizeof(*ip));
	ip->id = 0;
	ip->fragment = 0;
	ip->ttl = ENCAPSULATION_TTL;
	ip->protocol = PROTOCOL_IPIP;
	ip->checksum = 0;
	ip->source = server->source[0];
	ip->destination = server->address[0];
	for (u32 i = 0; i < sizeof(*ip) / 2; i++)
		sum += ((u16 *)ip)[i];
	ip->checksum = fold_checksum(sum);
	return 0;
}

INLINE int encapsulate_ipv6(struct xdp_md *context, const struct packet *packet, const struct server *server)
{
	struct ether *ether, *old;
	struct ipv6 *ip;
	void *start;

	if (xdp_adjust_head(context, -(int)sizeof(*ip)))
		return -1;
	start = PACKET_START(context);
	if (start + 2 * sizeof(*ether) + sizeof(*ip) > PACKET_END(context))
		return -1;
	ether = start;
	old = start + sizeof(*ip);
	ip = start + sizeof(*ether);
	set_ether(ether, old, server, NET16(ETHER_IPV6));
	ip->version_and_flow = NET32(6u << 28 | (u32)packet->service_type << 20);
	ip->payload_length = NET16(packet->ip_length);
	ip->next_header = packet->flow.family == FAMILY_IPV6 ? PROTOCOL_IPV6 : PROTOCOL_IPIP;
	ip->hop_limit = ENCAPSULATION_TTL;
	copy_address(ip->source, server->source);
	copy_address(ip->destination, server->address);
	return 0;
}

SECTION("xdp")
int balance(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	struct packet packet = {};
	struct ether *ether = take(&cursor, sizeof(*ether));
	struct service *service;
	struct server *server;
	struct statistics *statistics;
	u32 index = 0, service_id;
	int is_new = 0, status;

	if (!ether)
		return XDP_DROP;
	if (ether->type == NET16(ETHER_IPV4))
		status = parse_ipv4(&cursor, &packet);
	else if (ether->type == NET16(ETHER_IPV6))
		status = parse_ipv6(&cursor, &packet);
	else
		return XDP_PASS;
	if (status)
		return XDP_PASS;
	if (packet.flow.protocol != PROTOCOL_TCP && packet.flow.protocol != PROTOCOL_UDP)
		return XDP_PASS;
	if (parse_ports(&cursor, &packet))
		return XDP_DROP;

	service = find_service(&packet);
	if (!service)
		return XDP_PASS;
	service_id = service->id;
	statistics = map_lookup(&totals, &service_id);
	if (!statistics)
		return XDP_DROP;
	count(statistics, &packet);
	if (choose_server(&packet, service, &index, &is_new)) {
		statistics->failures++;
		return XDP_DROP;
	}
	statistics->new_connections += is_new;
	server = map_lookup(&servers, &index);
	if (!server || server->flags & SERVER_DRAINED) {
		statistics->failures++;
		return XDP_DROP;
	}
	if (server->flags & SERVER_IS_IPV6)
		status = encapsulate_ipv6(context, &packet, server);
	else if (packet.flow.family == FAMILY_IPV4)
		status = encapsulate_ipv4(context, &packet, server);
	else
		status = -1;
	if (status) {
		statistics->failures++;
		return XDP_DROP;
	}
	return XDP_TX;
}

LICENSE("MIT");
