# XDP. The head cannot be moved as far as in a whole frame after the tail was cut off.
	.section program,"ax",@progbits
	r6 = r1
	call 7
	r2 = r0
	r2 &= 63
	r2 -= 64
	r1 = r6
	call 65
	r7 = r0
	r1 = r6
	r2 = 12
	call 44
	r0 += r7
	exit
