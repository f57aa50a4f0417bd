# XDP. Loads from a computed byte of a value, up to its last one, in one read and in several.
	.section program,"ax",@progbits
	*(u64 *)(r10 - 40) = 0
	*(u64 *)(r10 - 32) = 0
	*(u64 *)(r10 - 24) = 0
	*(u64 *)(r10 - 16) = 0
	*(u64 *)(r10 - 8) = 0
	call 7
	r6 = r0
	r2 = r10
	r2 += -40
	r1 = map5 ll
	call 1
	if r0 == 0 goto 1f
	r6 &= 3
	r6 += 1
	r0 += r6
	r1 = *(u64 *)(r0 + 0)
	r2 = *(u32 *)(r0 + 4)
	r3 = *(u8 *)(r0 - 1)
	r1 ^= r2
	r1 += r3
	r6 ^= r1
1:
	r0 = r6
	exit
