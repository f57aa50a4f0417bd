# XDP. A byte goes to a computed place of the stack where nothing was stored.
	.section program,"ax",@progbits
	*(u64 *)(r10 - 248) = 0
	call 7
	r9 = r0
	r9 &= 7
	r3 = r10
	r3 += -16
	r3 += r9
	*(u8 *)(r3 + 0) = r0
	r0 = r9
	exit
