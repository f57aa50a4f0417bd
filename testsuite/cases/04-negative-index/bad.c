#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define FIRST_QUEUE 8
#define QUEUES 16

struct queues {
    __u64 packets[QUEUES];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct queues);
} counters SEC(".maps");

SEC("xdp")
int count_queue(struct xdp_md *ctx)
{
    __u32 key = 0;
    struct queues *queues = bpf_map_lookup_elem(&counters, &key);
    int queue = ctx->rx_queue_index - FIRST_QUEUE;

    if (!queues || queue >= QUEUES)
        return XDP_PASS;
    queues->packets[queue]++;
    return XDP_PASS;
}
