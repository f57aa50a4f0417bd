#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int drop_loopback(struct xdp_md *ctx)
{
    void *data = (void *)(long)ctx->data;
    void *data_end = (void *)(long)ctx->data_end;
    struct iphdr *ip = data + sizeof(struct ethhdr);
    void *last = (void *)(ip + 1) - 1;

    if (last > data_end)
        return XDP_PASS;
    return ip->daddr == 0x0100007f ? XDP_DROP : XDP_PASS;
}
