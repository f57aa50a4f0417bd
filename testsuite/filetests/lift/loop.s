# test: lift
# test: execute
# test: roundtrip
# test: pass -O2
# expect: sum(10) == 55
# A loop: its counter and sum are parameters of the block.
	.globl	sum
sum:
	r0 = 0
	r1 &= 63
	if r1 == 0 goto 2f
1:
	r0 += r1
	r1 += -1
	if r1 != 0 goto 1b
2:
	exit
