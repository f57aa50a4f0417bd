#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop_marked(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data;
    void *data_end = (void *)(long)ctx->data_end;
    __u32 *word = data + 16;

    if (word + 1 > (__u32 *)data_end)
        return XDP_PASS;
    return *word == 0xdeadbeef ? XDP_DROP : XDP_PASS;
}
