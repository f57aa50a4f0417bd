    .section xdp,"ax",@progbits
    .globl count
    .type count,@function
count:
    r1 = ready ll
    r2 = *(u32 *)(r1 + 0)
    if r2 == 0 goto pass
    r1 = packets ll
    r2 = 1
    lock *(u64 *)(r1 + 0) += r2
pass:
    r0 = 2                          # XDP_PASS
    exit
    .size count, .-count

    .section .bss,"aw",@nobits
    .globl packets
    .type packets,@object
packets:
    .zero 8
    .size packets, 8
    .globl ready
    .type ready,@object
ready:
    .zero 4
    .size ready, 4
