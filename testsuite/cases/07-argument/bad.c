#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 64);
    __type(key, __u32);
    __type(value, __u32);
} blocked SEC(".maps");

SEC("xdp")
int block(struct xdp_md *ctx)
{
    void *interface = (void *)(long)ctx->ingress_ifindex;

    if (bpf_map_lookup_elem(&blocked, interface))
        return XDP_DROP;
    return XDP_PASS;
}
