# test: asm
# A version of what is defined here stands beside it; one of what is not takes its place.
	.globl	f
	.type	f,@function
f:
	.symver	f, f@V1
	.symver	g, g@@@V2
	call	g
	exit
	.size	f, .-f
