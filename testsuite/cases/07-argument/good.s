    .section xdp,"ax",@progbits
    .globl block
    .type block,@function
block:
    r2 = *(u32 *)(r1 + 12)          # ingress_ifindex
    *(u32 *)(r10 - 4) = r2
    r2 = r10
    r2 += -4                        # where the key lies
    r1 = blocked ll
    call 1                          # bpf_map_lookup_elem
    r1 = r0
    r0 = 2                          # XDP_PASS
    if r1 == 0 goto out
    r0 = 1                          # XDP_DROP
out:
    exit
    .size block, .-block

    .section maps,"aw",@progbits
    .globl blocked
    .type blocked,@object
blocked:
    .long 1, 4, 4, 64, 0            # a hash: keys of 4 bytes, values of 4, 64 entries
    .size blocked, 20
