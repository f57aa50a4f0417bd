# test: check
# Fields without use are zero.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r0 = 2
	.quad 0x0000000100000095
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r0 = 2
	.quad 0x0000000100010005
	r0 = 1
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	.quad 0x00000002000400b7
	exit
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl accepted_4
	.type accepted_4,@function
accepted_4:
	may_goto +0
	r0 = 2
	exit
	.size accepted_4, .-accepted_4

	.section license,"aw",@progbits
	.asciz "GPL"
