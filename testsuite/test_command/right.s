# test: asm
r0 = 2
exit
