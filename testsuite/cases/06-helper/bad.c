#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int only_ipv4(struct xdp_md *ctx)
{
    struct ethhdr eth;

    if (bpf_skb_load_bytes(ctx, 0, &eth, sizeof(eth)) < 0)
        return XDP_PASS;
    return eth.h_proto == bpf_htons(ETH_P_IP) ? XDP_PASS : XDP_DROP;
}
