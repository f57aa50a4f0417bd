# A packet is read without a look at its end: what people are told about it.
# test: check --kernel 6.12

	.section	xdp,"ax",@progbits
	.globl	too_short
	.type	too_short,@function
too_short:
	r2 = *(u32 *)(r1 + 0)		# data
	r0 = *(u8 *)(r2 + 0)
	exit
	.size	too_short, .-too_short
