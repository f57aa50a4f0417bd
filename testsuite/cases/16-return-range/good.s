    .section cgroup/connect4,"ax",@progbits
    .globl no_telnet
    .type no_telnet,@function
no_telnet:
    r1 = *(u32 *)(r1 + 24)          # user_port
    r0 = 1                          # go on
    if r1 != 0x1700 goto out
    r0 = 0                          # refuse
out:
    exit
    .size no_telnet, .-no_telnet
