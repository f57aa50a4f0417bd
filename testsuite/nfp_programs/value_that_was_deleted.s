# XDP. A program goes on with a value that it deleted.
	.section program,"ax",@progbits
	*(u64 *)(r10 - 8) = 0
	r2 = r10
	r2 += -8
	r1 = map0 ll
	call 1
	r7 = r0
	if r7 == 0 goto 1f
	r2 = r10
	r2 += -8
	r1 = map0 ll
	call 3
	r1 = *(u32 *)(r7 + 12)
	*(u32 *)(r7 + 4) = r1
	r0 += r1
	exit
1:
	r0 = 1
	exit
