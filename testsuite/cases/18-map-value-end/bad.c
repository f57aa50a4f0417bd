#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PRIORITIES 16

struct priorities {
    __u64 packets[PRIORITIES];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct priorities);
} counters SEC(".maps");

SEC("tc")
int count(struct __sk_buff *skb)
{
    __u32 key = 0, priority = skb->priority;
    struct priorities *priorities = bpf_map_lookup_elem(&counters, &key);

    if (!priorities || priority > PRIORITIES)
        return 0;
    priorities->packets[priority]++;
    return 0;
}
