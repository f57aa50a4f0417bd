#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop_short(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data;
    void *data_end = (void *)(long)ctx->data_end;

    return data + 60 > data_end ? XDP_DROP : XDP_PASS;
}
