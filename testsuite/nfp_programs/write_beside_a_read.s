# XDP. A write's registers, and what is made of a read that is waited for with it.
	.section program,"ax",@progbits
	call 7
	r7 = r0
	*(u32 *)(r10 - 8) = 0
	r1 = map1 ll
	r2 = r10
	r2 += -8
	call 1
	r8 = r0
	r0 = 0
	if r8 == 0 goto 1f
	*(u64 *)(r8 + 16) = 0
	r0 = 1
	r0 += r7
	r8 = *(u32 *)(r8 + 0)
	r0 ^= r8
1:
	exit
