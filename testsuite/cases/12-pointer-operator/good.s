    .section xdp,"ax",@progbits
    .globl drop_marked
    .type drop_marked,@function
drop_marked:
    r2 = *(u32 *)(r1 + 0)           # data
    r3 = *(u32 *)(r1 + 4)           # data_end
    r0 = 2                          # XDP_PASS
    r2 += 16                        # the next whole word behind the Ethernet header
    r4 = r2
    r4 += 4
    if r4 > r3 goto out
    w1 = *(u32 *)(r2 + 0)
    if w1 != 0xdeadbeef goto out
    r0 = 1                          # XDP_DROP
out:
    exit
    .size drop_marked, .-drop_marked
