    .section xdp,"ax",@progbits
    .globl short_ones
    .type short_ones,@function
short_ones:
    r6 = r1
    call 188                        # bpf_xdp_get_buff_len
    r1 = 0
    *(u64 *)(r10 - 8) = r1          # the last bytes of 64
    if r0 == 0 goto pass
    if r0 > 64 goto pass
    r1 = r6
    r2 = 0
    r3 = r10
    r3 += -64
    r4 = r0
    call 189                        # bpf_xdp_load_bytes
    if r0 s< 0 goto pass
    r1 = *(u8 *)(r10 - 1)
    r0 = 1                          # XDP_DROP
    if r1 != 0 goto out
pass:
    r0 = 2                          # XDP_PASS
out:
    exit
    .size short_ones, .-short_ones
