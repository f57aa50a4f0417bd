    .section xdp,"ax",@progbits
    .globl count
    .type count,@function
count:
    r1 = packets ll
    r2 = 1
    r3 = *(u64 *)(r1 + 0)
    r3 += r2
    *(u64 *)(r1 + 0) = r3
    r0 = 2                          # XDP_PASS
    exit
    .size count, .-count

    .section .bss,"aw",@nobits
    .globl packets
    .type packets,@object
packets:
    .zero 8
    .size packets, 8
