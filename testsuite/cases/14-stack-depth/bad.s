    .section xdp,"ax",@progbits
    .globl compare
    .type compare,@function
compare:
    r6 = r1
    r2 = 0
    r3 = r10
    r3 += -320
    r4 = 320                        # this frame's buffer
    call 189                        # bpf_xdp_load_bytes
    if r0 s< 0 goto pass
    r1 = r6
    r2 = 320
    call sum_of
    r1 = r0
    r2 = *(u8 *)(r10 - 308)
    r0 = 1                          # XDP_DROP
    if r1 == r2 goto out
pass:
    r0 = 2                          # XDP_PASS
out:
    exit
    .size compare, .-compare

    .text
    .type sum_of,@function
sum_of:
    r3 = r10
    r3 += -320
    r4 = 320                        # and its own
    call 189                        # bpf_xdp_load_bytes
    if r0 s< 0 goto none
    r0 = *(u8 *)(r10 - 320)
    r1 = *(u8 *)(r10 - 256)
    r0 += r1
    exit
none:
    r0 = 0
    exit
    .size sum_of, .-sum_of
