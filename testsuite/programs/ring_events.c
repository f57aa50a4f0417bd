/* Sends one event a TCP connection attempt through a ring buffer. */
#include "net.h"

struct event {
	u64 time;
	be32 source;
	be32 destination;
	be16 source_port;
	be16 destination_port;
	u32 processor;
};

struct {
	MAP_NUMBER(type, MAP_RING_BUFFER);
	MAP_NUMBER(max_entries, 65536);
} ring SECTION(".maps");
u64 sent, lost;

SECTION("xdp")
int watch(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	struct ether *ether = take(&cursor, sizeof(*ether));
	struct event *event;
	struct ipv4 *ip;
	struct tcp *tcp;

	if (!ether || ether->type != NET16(ETHER_IPV4))
		return XDP_PASS;
	ip = take(&cursor, sizeof(*ip));
	if (!ip || ip->version_and_length != 0x45 || ip->protocol != PROTOCOL_TCP)
		return XDP_PASS;
	tcp = take(&cursor, sizeof(*tcp));
	if (!tcp || !(tcp->flags & TCP_SYN))
		return XDP_PASS;
	event = ring_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		lost++;
		return XDP_PASS;
	}
	if (ip->source == ip->destination) {
		ring_discard(event, 0);
		return XDP_DROP;
	}
	event->time = time_nanoseconds();
	event->source = ip->source;
	event->destination = ip->destination;
	event->source_port = tcp->source;
	event->destination_port = tcp->destination;
	event->processor = processor_id();
	ring_submit(event, 0);
	sent++;
	return XDP_PASS;
}

LICENSE("MIT");
