    .section tc,"ax",@progbits
    .globl keep
    .type keep,@function
keep:
    r6 = r1
    w7 = *(u32 *)(r1 + 0)           # len
    r1 = 0
    *(u32 *)(r10 - 4) = r1
    r2 = r10
    r2 += -4
    r1 = last ll
    call 1                          # bpf_map_lookup_elem
    if r0 == 0 goto out
    if w7 == 0 goto out
    if w7 > 64 goto out
    *(u32 *)(r0 + 0) = w7
    r1 = r6
    r2 = 0
    r3 = r0
    r3 += 4
    w4 = w7
    call 26                         # bpf_skb_load_bytes
out:
    r0 = 0
    exit
    .size keep, .-keep

    .section maps,"aw",@progbits
    .globl last
    .type last,@object
last:
    .long 2, 4, 68, 1, 0            # an array: keys of 4 bytes, values of 68, 1 entry
    .size last, 20
