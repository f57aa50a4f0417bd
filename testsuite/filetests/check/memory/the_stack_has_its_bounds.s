# test: check
# The stack has its bounds.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r0 = 0
	*(u64 *)(r10 - 520) = r0
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r0 = 0
	*(u64 *)(r10 + 0) = r0
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	*(u32 *)(r10 - 8) = r1
	r0 = 0
	exit
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl refused_4
	.type refused_4,@function
refused_4:
	*(u64 *)(r10 - 8) = r1
	r0 = *(u32 *)(r10 - 8)
	r0 = 0
	exit
	.size refused_4, .-refused_4

	.section xdp,"ax",@progbits
	.globl refused_5
	.type refused_5,@function
refused_5:
	r0 = 0
	*(u32 *)(r10 - 6) = r0
	exit
	.size refused_5, .-refused_5

	.section license,"aw",@progbits
	.asciz "GPL"
