    .section tc,"ax",@progbits
    .globl count
    .type count,@function
count:
    r6 = *(u32 *)(r1 + 32)          # priority
    r1 = 0
    *(u32 *)(r10 - 4) = r1
    r2 = r10
    r2 += -4
    r1 = counters ll
    call 1                          # bpf_map_lookup_elem
    if r0 == 0 goto out
    if r6 >= 16 goto out
    r6 <<= 3
    r0 += r6
    r1 = *(u64 *)(r0 + 0)
    r1 += 1
    *(u64 *)(r0 + 0) = r1
out:
    r0 = 0
    exit
    .size count, .-count

    .section maps,"aw",@progbits
    .globl counters
    .type counters,@object
counters:
    .long 2, 4, 128, 1, 0           # an array: keys of 4 bytes, values of 128, 1 entry
    .size counters, 20
