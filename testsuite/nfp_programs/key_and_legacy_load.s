# TC. A legacy load leaves the program while the first index points to a key.
	.section program,"ax",@progbits
	r6 = r1
	*(u64 *)(r10 - 88) = 0
	*(u64 *)(r10 - 184) = 7
	*(u64 *)(r10 - 192) = 0
	r1 = map0 ll
	r2 = r10
	r2 += -88
	call 3
	r0 = *(u32 *)skb[0]
	r1 = *(u64 *)(r10 - 184)
	r0 ^= r1
	exit
