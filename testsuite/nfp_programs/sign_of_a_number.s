# XDP. A sign is extended from bits that are known, some of them only when the card's code is chosen.
	.section program,"ax",@progbits
	call 7
	r6 = r0
	r0 &= 1
	r0 = be64 r0
	r7 = (s8)r0
	r6 &= 0x17f00
	r6 >>= 8
	r8 = (s8)r6
	r0 = (s16)r6
	r0 += r8
	r0 ^= r7
	exit
