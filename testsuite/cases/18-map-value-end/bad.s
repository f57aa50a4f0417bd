    .section xdp,"ax",@progbits
    .globl measure
    .type measure,@function
measure:
    r6 = *(u32 *)(r1 + 4)           # data_end
    r1 = *(u32 *)(r1 + 0)           # data
    r6 -= r1
    r6 /= 100
    r1 = 0
    *(u32 *)(r10 - 4) = r1
    r2 = r10
    r2 += -4
    r1 = lengths ll
    call 1                          # bpf_map_lookup_elem
    if r0 == 0 goto pass
    if r6 > 16 goto pass
    r6 <<= 3
    r0 += r6
    r1 = *(u64 *)(r0 + 0)
    r1 += 1
    *(u64 *)(r0 + 0) = r1
pass:
    r0 = 2                          # XDP_PASS
    exit
    .size measure, .-measure

    .section maps,"aw",@progbits
    .globl lengths
    .type lengths,@object
lengths:
    .long 2, 4, 128, 1, 0           # an array: keys of 4 bytes, values of 128, 1 entry
    .size lengths, 20
