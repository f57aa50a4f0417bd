# XDP. A byte goes to a computed place of the stack, at which nothing was stored before.
	.section program,"ax",@progbits
	*(u64 *)(r10 - 248) = 0
	call 7
	r9 = *(u64 *)(r10 - 248)
	r3 = r10
	r3 += -15
	r3 += r9
	*(u8 *)(r3 + 0) = r9
	r0 = r9
	exit
