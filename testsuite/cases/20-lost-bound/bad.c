#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define ROOM 64

SEC("xdp")
int short_ones(struct xdp_md *ctx)
{
    __u32 length = bpf_xdp_get_buff_len(ctx);
    __u8 bytes[ROOM] = {};

    if (length == 0 || length > ROOM)
        return XDP_PASS;
    if (bpf_xdp_load_bytes(ctx, 0, bytes, length) < 0)
        return XDP_PASS;
    return bytes[ROOM - 1] ? XDP_DROP : XDP_PASS;
}
