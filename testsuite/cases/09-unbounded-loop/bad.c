#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int checksum(struct __sk_buff *skb)
{
    __u32 sum = 0;

    for (__u32 at = 0; at < skb->len; at++) {
        __u8 byte;

        if (bpf_skb_load_bytes(skb, at, &byte, 1) < 0)
            break;
        sum += byte;
    }
    skb->mark = sum;
    return 0;
}
