# test: check
# Programs end and have no dead code.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r0 = 0
	goto 1f
	r0 = 1
1:
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r0 = 0
	exit
	r0 = 1
	.size refused_2, .-refused_2

	.section license,"aw",@progbits
	.asciz "GPL"
