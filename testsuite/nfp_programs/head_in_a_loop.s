# XDP. The head moves by a constant, again and again, until the packet is too short.
	.section program,"ax",@progbits
	r6 = r1
	r7 = 0
	r8 = 0
1:
	r1 = r6
	r2 = 25
	call 44
	r8 += r0
	r7 += 1
	if r7 < 3 goto 1b
	r0 = r8
	exit
