    .section xdp,"ax",@progbits
    .globl count
    .type count,@function
count:
    r1 = *(u32 *)(r1 + 12)          # ingress_ifindex
    *(u32 *)(r10 - 4) = r1
    r2 = r10
    r2 += -4
    r1 = packets ll
    call 1                          # bpf_map_lookup_elem
    r1 = 1
    lock *(u64 *)(r0 + 0) += r1
    r0 = 2                          # XDP_PASS
    exit
    .size count, .-count

    .section maps,"aw",@progbits
    .globl packets
    .type packets,@object
packets:
    .long 1, 4, 8, 64, 0            # a hash: keys of 4 bytes, values of 8, 64 entries
    .size packets, 20
