# test: check
# The context is read as the type says.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r0 = *(u16 *)(r1 + 0)
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r1 += 4
	r0 = *(u32 *)(r1 + 0)
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r2 = 0
	*(u32 *)(r1 + 12) = r2
	r0 = 0
	exit
	.size refused_3, .-refused_3

	.section tc,"ax",@progbits
	.globl accepted_4
	.type accepted_4,@function
accepted_4:
	r2 = 7
	*(u32 *)(r1 + 8) = r2
	r0 = 0
	exit
	.size accepted_4, .-accepted_4

	.section socket,"ax",@progbits
	.globl refused_5
	.type refused_5,@function
refused_5:
	r0 = *(u32 *)(r1 + 76)
	exit
	.size refused_5, .-refused_5

	.section license,"aw",@progbits
	.asciz "GPL"
