# test: check
# One helper takes no context where there is no buffer.

	.section tc,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r1 = 0
	call 17
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section tc,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	call 17
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

	.section xdp,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	r1 = 0
	call 17
	r0 = 0
	exit
	.size accepted_3, .-accepted_3

	.section license,"aw",@progbits
	.asciz "GPL"
