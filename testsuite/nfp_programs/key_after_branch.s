# XDP. The same key is used again behind a branch, over which the first index points elsewhere.
	.section program,"ax",@progbits
	*(u64 *)(r10 - 24) = 0
	*(u64 *)(r10 - 176) = 1
	*(u64 *)(r10 - 168) = 2
	call 7
	r7 = r0
	r1 = map0 ll
	r2 = r10
	r2 += -20
	r3 = r10
	r3 += -176
	r4 = 0
	call 2
	if r7 > 0x7fffffff goto 1f
	r2 = r10
	r2 += -20
	r1 = map0 ll
	call 1
	if r0 == 0 goto 1f
	r7 = *(u32 *)(r0 + 4)
1:
	r0 = r7
	exit
