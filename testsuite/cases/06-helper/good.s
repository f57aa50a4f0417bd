    .section xdp,"ax",@progbits
    .globl only_ipv4
    .type only_ipv4,@function
only_ipv4:
    r2 = 0
    r3 = r10
    r3 += -16
    r4 = 14                         # an Ethernet header
    call 189                        # bpf_xdp_load_bytes
    if r0 s< 0 goto pass
    r1 = *(u16 *)(r10 - 4)          # its protocol
    r0 = 1                          # XDP_DROP
    if r1 != 8 goto out
pass:
    r0 = 2                          # XDP_PASS
out:
    exit
    .size only_ipv4, .-only_ipv4
