    .section tc,"ax",@progbits
    .globl checksum
    .type checksum,@function
checksum:
    r6 = r1
    r7 = 0                          # the place
    r8 = 0                          # the sum
next:
    r1 = *(u32 *)(r6 + 0)           # len
    if r7 >= r1 goto done
    if r7 >= 256 goto done
    r1 = r6
    r2 = r7
    r3 = r10
    r3 += -1
    r4 = 1
    call 26                         # bpf_skb_load_bytes
    if r0 s< 0 goto done
    r1 = *(u8 *)(r10 - 1)
    r8 += r1
    r7 += 1
    goto next
done:
    *(u32 *)(r6 + 8) = r8           # mark
    r0 = 0
    exit
    .size checksum, .-checksum
