#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, __u32);
} parsers SEC(".maps");

static __noinline int dispatch(struct xdp_md *ctx)
{
    bpf_tail_call(ctx, &parsers, ctx->rx_queue_index & 3);
    return XDP_PASS;
}

SEC("xdp")
int entry(struct xdp_md *ctx)
{
    return dispatch(ctx);
}
