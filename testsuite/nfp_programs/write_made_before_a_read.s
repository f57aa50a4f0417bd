# XDP. Part of what is written is made before a read that comes between.
	.section program,"ax",@progbits
	r6 = r1
	w1 = 0
	r9 = *(u32 *)(r6 + 0)
	r0 = *(u32 *)(r6 + 4)
	r2 = r9
	r2 += 42
	if r2 <= r0 goto 1f
	r0 = r1
	exit
1:
	r0 = *(u64 *)(r9 + 32)
	r3 = *(s32 *)(r9 + 12)
	r7 = *(u8 *)(r9 + 8)
	*(u8 *)(r9 + 6) = r7
	r0 |= r3
	r7 = *(u32 *)(r9 + 10)
	r7 = be16 r7
	*(u64 *)(r9 + 34) = r0
	*(u64 *)(r9 + 30) = r7
	exit
