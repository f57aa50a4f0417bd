# XDP. One call moves the head, in a function that is called twice.
	.section program,"ax",@progbits
	r6 = r1
	call move
	r7 = r0
	r1 = r6
	call move
	r0 += r7
	exit
	.type move,@function
move:
	r2 = 40
	call 44
	exit
