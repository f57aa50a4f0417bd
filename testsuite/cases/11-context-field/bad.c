#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct xdp_buff { /* as the kernel has it inside */
    void *data;
    void *data_end;
};

SEC("xdp")
int drop_short(struct xdp_buff *ctx)
{
    return ctx->data + 60 > ctx->data_end ? XDP_DROP : XDP_PASS;
}
