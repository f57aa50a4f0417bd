# test: check
# The kernel complains of the constant before it looks at the operator; the reason tells of the operator.
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 0)
	r2 += 17
	r3 = 0x1fffffffc ll
	r2 &= r3
	r0 = 2
	exit
