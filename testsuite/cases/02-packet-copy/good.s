    .section xdp,"ax",@progbits
    .globl drop_dns
    .type drop_dns,@function
drop_dns:
    r2 = *(u32 *)(r1 + 0)           # data
    r3 = *(u32 *)(r1 + 4)           # data_end
    r0 = 2                          # XDP_PASS
    r4 = r2
    r4 += 34                        # Ethernet and IPv4
    if r4 > r3 goto out
    r5 = *(u8 *)(r2 + 14)           # version and length
    r5 &= 15
    r5 <<= 2
    r2 += r5
    r4 = r2
    r4 += 22                        # the end of the UDP header
    if r4 > r3 goto out
    r1 = *(u16 *)(r2 + 16)          # the port
    if r1 != 0x3500 goto out
    r0 = 1                          # XDP_DROP
out:
    exit
    .size drop_dns, .-drop_dns
