#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define BUCKETS 16

struct histogram {
    __u64 buckets[BUCKETS];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct histogram);
} lengths SEC(".maps");

SEC("xdp")
int measure(struct xdp_md *ctx)
{
    __u32 key = 0, bucket = (ctx->data_end - ctx->data) / 100;
    struct histogram *histogram = bpf_map_lookup_elem(&lengths, &key);

    if (!histogram || bucket >= BUCKETS)
        return XDP_PASS;
    histogram->buckets[bucket]++;
    return XDP_PASS;
}
