# XDP. Two ways end in writes that are waited for together, at different places.
	.section program,"ax",@progbits
	r2 = *(u32 *)(r1 + 4)
	r9 = *(u32 *)(r1 + 0)
	r0 = 2
	r5 = r9
	r5 += 64
	if r5 > r2 goto 2f
	r7 = *(u32 *)(r9 + 0)
	if w7 s>= 0 goto 1f
	*(u16 *)(r9 + 39) = r7
	*(u16 *)(r9 + 43) = r7
	goto 2f
1:
	*(u32 *)(r9 + 37) = r7
	*(u32 *)(r9 + 45) = r7
2:
	exit
