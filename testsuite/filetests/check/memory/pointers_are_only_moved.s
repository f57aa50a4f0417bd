# test: check
# Pointers are only moved.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r1 *= 2
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r1 |= 2
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	w1 += 4
	r0 = 0
	exit
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl refused_4
	.type refused_4,@function
refused_4:
	r2 = r10
	r2 -= 8
	r0 = 0
	exit
	.size refused_4, .-refused_4

	.section license,"aw",@progbits
	.asciz "GPL"
