/* Packet headers, and access to them in programs that see a packet as two pointers. */
#pragma once
#include "kernel.h"

#define SWAP16(x) ((u16)__builtin_bswap16((u16)(x)))
#define SWAP32(x) ((u32)__builtin_bswap32((u32)(x)))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NET16(x) SWAP16(x)
#define NET32(x) SWAP32(x)
#else
#define NET16(x) ((u16)(x))
#define NET32(x) ((u32)(x))
#endif

enum ether_type {
	ETHER_IPV4 = 0x0800,
	ETHER_ARP = 0x0806,
	ETHER_VLAN = 0x8100,
	ETHER_IPV6 = 0x86dd,
	ETHER_SERVICE_VLAN = 0x88a8,
};

enum ip_protocol {
	PROTOCOL_ICMP = 1,
	PROTOCOL_IPIP = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_ICMPV6 = 58,
};

struct ether {
	u8 destination[6];
	u8 source[6];
	be16 type;
};

struct vlan {
	be16 tag;
	be16 type;
};

struct ipv4 {
	u8 version_and_length;
	u8 service;
	be16 total_length;
	be16 id;
	be16 fragment;
	u8 ttl;
	u8 protocol;
	u16 checksum;
	be32 source;
	be32 destination;
};

struct ipv6 {
	be32 version_and_flow;
	be16 payload_length;
	u8 next_header;
	u8 hop_limit;
	be32 source[4];
	be32 destination[4];
};

struct ports {
	be16 source;
	be16 destination;
};

struct tcp {
	be16 source;
	be16 destination;
	be32 sequence;
	be32 acknowledgement;
	u8 data_offset;
	u8 flags;
	be16 window;
	u16 checksum;
	be16 urgent;
};

struct udp {
	be16 source;
	be16 destination;
	be16 length;
	u16 checksum;
};

struct icmp {
	u8 type;
	u8 code;
	u16 checksum;
	be32 rest;
};

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define IPV4_FRAGMENT_MASK 0x3fff

/* The part of a packet which is still to be parsed. */
struct cursor {
	void *at;
	void *end;
};

#define PACKET_START(context) ((void *)(long)(context)->data)
#define PACKET_END(context) ((void *)(long)(context)->data_end)

/* Steps over `size` bytes and returns where they began, or null where the packet is too short. */
INLINE void *take(struct cursor *cursor, u32 size)
{
	void *start = cursor->at;

	if (start + size > cursor->end)
		return NULL;
	cursor->at = start + size;
	return start;
}

INLINE u16 fold_checksum(u64 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}
