    .section xdp,"ax",@progbits
    .globl count_queue
    .type count_queue,@function
count_queue:
    r6 = *(u32 *)(r1 + 16)          # rx_queue_index
    r6 += -8
    r1 = 0
    *(u32 *)(r10 - 4) = r1
    r2 = r10
    r2 += -4
    r1 = counters ll
    call 1                          # bpf_map_lookup_elem
    if r0 == 0 goto pass
    if r6 > 15 goto pass
    r6 <<= 3
    r0 += r6
    r1 = *(u64 *)(r0 + 0)
    r1 += 1
    *(u64 *)(r0 + 0) = r1
pass:
    r0 = 2                          # XDP_PASS
    exit
    .size count_queue, .-count_queue

    .section maps,"aw",@progbits
    .globl counters
    .type counters,@object
counters:
    .long 2, 4, 128, 1, 0           # an array: keys of 4 bytes, values of 128, 1 entry
    .size counters, 20
