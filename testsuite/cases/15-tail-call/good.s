    .section xdp,"ax",@progbits
    .globl entry
    .type entry,@function
entry:
    r3 = *(u32 *)(r1 + 16)          # rx_queue_index
    r3 &= 3
    r2 = parsers ll
    call 12                         # bpf_tail_call
    r0 = 2                          # XDP_PASS
    exit
    .size entry, .-entry

    .section maps,"aw",@progbits
    .globl parsers
    .type parsers,@object
parsers:
    .long 3, 4, 4, 4, 0             # a program array
    .size parsers, 20
