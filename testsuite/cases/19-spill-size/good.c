#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 64);
    __type(key, __u64);
    __type(value, __u64);
} seen SEC(".maps");

SEC("xdp")
int remember(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data;
    __u64 key = (unsigned long)data; /* which packet */
    __u64 now = bpf_ktime_get_ns();

    bpf_map_update_elem(&seen, &key, &now, BPF_ANY);
    return XDP_PASS;
}
