// Packet access, two maps, an atomic add.
#include "bpf.h"
struct xdp { u32 data, data_end, data_meta, index, queue, egress; };
struct ethernet { u8 to[6], from[6]; u16 protocol; } __attribute__((packed));
struct ip { u8 version, tos; u16 length, id, offset; u8 ttl, protocol; u16 sum; u32 from, to; };
struct { __uint(type, 1); __uint(max_entries, 1024); __type(key, u32); __type(value, u64); } flows SEC(".maps");
struct { __uint(type, 2); __uint(max_entries, 4); __type(key, u32); __type(value, u64); } counters SEC(".maps");
SEC("xdp") int firewall(struct xdp *ctx) {
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    struct ethernet *ethernet = data;
    struct ip *ip = (void *)(ethernet + 1);
    if ((void *)(ip + 1) > end)
        return 1;
    if (ethernet->protocol != 8)
        return 2;
    u32 key = ip->protocol & 3;
    u64 *counter = map_lookup(&counters, &key);
    if (counter)
        __sync_fetch_and_add(counter, 1);
    u32 from = ip->from;
    u64 one = 1, *flow = map_lookup(&flows, &from);
    if (flow)
        *flow += end - data;
    else
        map_update(&flows, &from, &one, 0);
    if (ip->ttl <= 1)
        return 1;
    ip->ttl--;
    u32 sum = ip->sum;
    sum += 0x100;
    ip->sum = sum + (sum >= 0xffff);
    return 2;
}
