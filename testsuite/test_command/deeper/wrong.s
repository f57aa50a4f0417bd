# test: lift
# Its snapshot says something else.
	.globl	f
	.type	f,@function
f:
	r0 = 2
	exit
	.size	f, .-f
