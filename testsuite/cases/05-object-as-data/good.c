#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} events SEC(".maps");

SEC("xdp")
int report(struct xdp_md *ctx)
{
    __u32 interface = ctx->ingress_ifindex;
    struct bpf_dynptr event;
    void *room;

    bpf_ringbuf_reserve_dynptr(&events, 64, 0, &event);
    room = bpf_dynptr_data(&event, 0, sizeof(interface));
    if (room)
        bpf_dynptr_write(&event, 0, &interface, sizeof(interface), 0);
    bpf_ringbuf_submit_dynptr(&event, 0);
    return XDP_PASS;
}
