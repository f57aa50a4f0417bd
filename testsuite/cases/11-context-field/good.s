    .section xdp,"ax",@progbits
    .globl drop_short
    .type drop_short,@function
drop_short:
    r2 = *(u32 *)(r1 + 0)           # data: becomes a pointer when it is loaded
    r3 = *(u32 *)(r1 + 4)           # data_end
    r0 = 1                          # XDP_DROP
    r2 += 60
    if r2 > r3 goto out
    r0 = 2                          # XDP_PASS
out:
    exit
    .size drop_short, .-drop_short
