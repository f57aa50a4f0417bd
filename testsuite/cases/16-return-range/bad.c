#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup/connect4")
int no_telnet(struct bpf_sock_addr *ctx)
{
    if (ctx->user_port == bpf_htons(23))
        return -1; /* refuse */
    return 1;
}
