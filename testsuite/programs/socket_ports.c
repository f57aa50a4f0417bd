/*
 * A filter for datagram packet sockets (the packet begins with its IP header), which reads by the old absolute and
 * indirect loads: how much of a packet to keep, by protocol and port.
 */
#include "net.h"

u64 load_byte(void *skb, u64 offset) asm("llvm.bpf.load.byte");
u64 load_half(void *skb, u64 offset) asm("llvm.bpf.load.half");
u64 load_word(void *skb, u64 offset) asm("llvm.bpf.load.word");

MAP(port_packets, MAP_HASH, u32, u64, 1024);

SECTION("socket")
int keep(struct __sk_buff *skb)
{
	u32 header, port;
	u64 *counter, one = 1;

	if (load_byte(skb, 0) >> 4 != 4)
		return 0;
	header = (load_byte(skb, 0) & 15) * 4;
	if (load_half(skb, 6) & 0x1fff)
		return 20;
	if (load_byte(skb, 9) == PROTOCOL_ICMP)
		return 64;
	if (load_byte(skb, 9) != PROTOCOL_TCP && load_byte(skb, 9) != PROTOCOL_UDP)
		return 0;
	port = load_half(skb, header + 2);
	counter = map_lookup(&port_packets, &port);
	if (counter)
		__sync_fetch_and_add(counter, 1);
	else
		map_update(&port_packets, &port, &one, UPDATE_NEW);
	if (port == 53)
		return -1;
	return load_word(skb, 12) >> 24 == 10 ? 96 : 40;
}

LICENSE("MIT");
