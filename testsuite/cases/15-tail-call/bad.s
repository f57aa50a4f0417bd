    .section xdp,"ax",@progbits
    .globl entry
    .type entry,@function
entry:
    call dispatch
    r0 = 2                          # XDP_PASS
    exit
    .size entry, .-entry

    .text
    .type dispatch,@function
dispatch:
    r3 = *(u32 *)(r1 + 16)          # rx_queue_index
    r3 &= 3
    r2 = parsers ll
    call 12                         # bpf_tail_call
    exit
    .size dispatch, .-dispatch

    .section maps,"aw",@progbits
    .globl parsers
    .type parsers,@object
parsers:
    .long 3, 4, 4, 4, 0             # a program array
    .size parsers, 20
