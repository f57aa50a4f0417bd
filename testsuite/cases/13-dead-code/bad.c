#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 packets;

SEC("xdp")
int count(struct xdp_md *ctx)
{
    asm volatile("r1 = %[packets] ll\n"
                 "r2 = 1\n"
                 "goto 1f\n" /* leaves out the slow way */
                 "lock *(u64 *)(r1 + 0) += r2\n"
                 "1: r3 = *(u64 *)(r1 + 0)\n"
                 "r3 += r2\n"
                 "*(u64 *)(r1 + 0) = r3\n"
                 : : [packets] "i"(&packets) : "r1", "r2", "r3", "memory");
    return XDP_PASS;
}
