#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

volatile __u32 ready;
__u64 packets;

SEC("xdp")
int count(struct xdp_md *ctx)
{
    if (!ready)
        return XDP_PASS;
    __sync_fetch_and_add(&packets, 1);
    return XDP_PASS;
}
