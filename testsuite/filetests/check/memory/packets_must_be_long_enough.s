# test: check
# Packets must be long enough.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	r0 = *(u8 *)(r2 + 0)
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	r0 = 1
	if r4 > r3 goto 1f
	r0 = *(u8 *)(r2 + 13)
1:
	exit
	.size accepted_2, .-accepted_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	r0 = 1
	if r4 > r3 goto 1f
	r0 = *(u8 *)(r2 + 14)
1:
	exit
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl accepted_4
	.type accepted_4,@function
accepted_4:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	r0 = 1
	if r4 >= r3 goto 1f
	r0 = *(u8 *)(r2 + 14)
1:
	exit
	.size accepted_4, .-accepted_4

	.section xdp,"ax",@progbits
	.globl refused_5
	.type refused_5,@function
refused_5:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	r0 = 1
	if r4 < r3 goto 1f
	r0 = *(u8 *)(r2 + 0)
1:
	exit
	.size refused_5, .-refused_5

	.section license,"aw",@progbits
	.asciz "GPL"
