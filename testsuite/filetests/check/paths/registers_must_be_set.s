# test: check
# Registers must be set.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r0 = r2
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r10 = 0
	r0 = 0
	exit
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl accepted_4
	.type accepted_4,@function
accepted_4:
	r0 = 0
	exit
	.size accepted_4, .-accepted_4

	.section license,"aw",@progbits
	.asciz "GPL"
