    .section xdp,"ax",@progbits
    .globl report
    .type report,@function
report:
    r6 = *(u32 *)(r1 + 12)          # ingress_ifindex
    r1 = events ll
    r2 = 64
    r3 = 0
    r4 = r10
    r4 += -16
    call 198                        # bpf_ringbuf_reserve_dynptr: r10 - 16 to r10 - 1
    r1 = r10
    r1 += -16
    r2 = 0
    r3 = 4
    call 203                        # bpf_dynptr_data: null if there is no room
    if r0 == 0 goto submit
    *(u32 *)(r10 - 20) = r6
    r1 = r10
    r1 += -16
    r2 = 0
    r3 = r10
    r3 += -20
    r4 = 4
    r5 = 0
    call 202                        # bpf_dynptr_write
submit:
    r1 = r10
    r1 += -16
    r2 = 0
    call 199                        # bpf_ringbuf_submit_dynptr
    r0 = 2                          # XDP_PASS
    exit
    .size report, .-report

    .section maps,"aw",@progbits
    .globl events
    .type events,@object
events:
    .long 27, 0, 0, 4096, 0         # a ring buffer of 4096 bytes
    .size events, 20
