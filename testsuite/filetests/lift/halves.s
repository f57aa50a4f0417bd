# test: lift
# test: execute
# test: pass narrow32,simplify,dce
# expect: halves(0x1ffffffff, 2) == 0x1
# 32-bit operations are on halves, and the result is extended.
	.globl	halves
halves:
	w0 = w1
	w0 += w2
	if w0 s< 0 goto 1f
	r1 >>= 32
	w1 <<= 3
	w0 ^= w1
	w0 ^= 8
	exit
1:
	w0 = -w0
	exit
