    .section xdp,"ax",@progbits
    .globl drop_loopback
    .type drop_loopback,@function
drop_loopback:
    r2 = *(u32 *)(r1 + 0)           # data
    r3 = *(u32 *)(r1 + 4)           # data_end
    r0 = 2                          # XDP_PASS
    r4 = r2
    r4 += 33                        # the last byte of the IPv4 header
    if r4 > r3 goto out
    r1 = *(u32 *)(r2 + 30)          # the destination
    if r1 != 0x0100007f goto out
    r0 = 1                          # XDP_DROP
out:
    exit
    .size drop_loopback, .-drop_loopback
