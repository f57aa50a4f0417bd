# XDP. Code that the verifier never enters reaches deeper into the stack than all other.
	.section program,"ax",@progbits
	*(u64 *)(r10 - 8) = 5
	call 7
	r6 = r0
	r6 &= 7
	r6 -= 8
	r3 = 0x3fff
	if r3 s<= r3 goto 1f
	*(u64 *)(r10 - 136) = r6
	r0 = *(u64 *)(r10 - 136)
	exit
1:
	r2 = r10
	r2 += r6
	r0 = *(u8 *)(r2 + 0)
	exit
