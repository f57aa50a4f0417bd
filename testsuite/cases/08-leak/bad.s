    .section xdp,"ax",@progbits
    .globl report
    .type report,@function
report:
    r6 = *(u32 *)(r1 + 0)           # data
    r7 = *(u32 *)(r1 + 4)           # data_end
    r1 = events ll
    r2 = 2
    r3 = 0
    call 131                        # bpf_ringbuf_reserve
    if r0 == 0 goto pass
    r1 = r6
    r1 += 14                        # an Ethernet header
    if r1 > r7 goto short
    r2 = *(u16 *)(r6 + 12)          # its protocol
    *(u16 *)(r0 + 0) = r2
    r1 = r0
    r2 = 0
    call 132                        # bpf_ringbuf_submit
pass:
    r0 = 2                          # XDP_PASS
    exit
short:
    r0 = 1                          # XDP_DROP
    exit
    .size report, .-report

    .section maps,"aw",@progbits
    .globl events
    .type events,@object
events:
    .long 27, 0, 0, 4096, 0         # a ring buffer of 4096 bytes
    .size events, 20
