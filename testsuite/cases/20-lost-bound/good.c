#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define ROOM 64

struct packet {
    __u32 length;
    __u8 bytes[ROOM];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct packet);
} last SEC(".maps");

SEC("tc")
int keep(struct __sk_buff *skb)
{
    __u32 key = 0, length = skb->len;
    struct packet *packet = bpf_map_lookup_elem(&last, &key);

    if (!packet)
        return 0;
    if (length == 0)
        return 0;
    asm volatile("" : "+r"(length)); /* the comparisons stay two */
    if (length > ROOM)
        return 0;
    packet->length = length;
    bpf_skb_load_bytes(skb, 0, packet->bytes, length);
    return 0;
}
