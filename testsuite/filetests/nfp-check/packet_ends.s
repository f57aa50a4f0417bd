# test: check --target nfp
# Moves of the packet that always fail; others are checked when they happen.

	.section xdp,"ax",@progbits
	.globl far
	.type far,@function
far:
	r2 = 220
	call 44
	r0 = 2
	exit
	.size far, .-far

	.section xdp,"ax",@progbits
	.globl near
	.type near,@function
near:
	r2 = -20
	call 44
	r0 = 2
	exit
	.size near, .-near

	.section xdp,"ax",@progbits
	.globl grows
	.type grows,@function
grows:
	r2 = 8
	call 65
	r0 = 2
	exit
	.size grows, .-grows

	.section xdp,"ax",@progbits
	.globl shrinks
	.type shrinks,@function
shrinks:
	r2 = -8
	call 65
	r0 = 2
	exit
	.size shrinks, .-shrinks
	.section license,"aw",@progbits
	.asciz "GPL"
