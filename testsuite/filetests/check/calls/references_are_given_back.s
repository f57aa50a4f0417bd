# test: check
# References are given back.

	.section tc,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r6 = r1
	r2 = 0
	*(u64 *)(r10 - 8) = r2
	*(u64 *)(r10 - 16) = r2
	r2 = r10
	r2 += -16
	r3 = 12
	r4 = 0
	r5 = 0
	call 84
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section tc,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	r6 = r1
	r2 = 0
	*(u64 *)(r10 - 8) = r2
	*(u64 *)(r10 - 16) = r2
	r2 = r10
	r2 += -16
	r3 = 12
	r4 = 0
	r5 = 0
	call 84
	if r0 == 0 goto 1f
	r1 = r0
	call 86
1:
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

	.section tc,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r6 = r1
	r2 = 0
	*(u64 *)(r10 - 8) = r2
	*(u64 *)(r10 - 16) = r2
	r2 = r10
	r2 += -16
	r3 = 12
	r4 = 0
	r5 = 0
	call 84
	if r0 == 0 goto 1f
	r7 = r0
	r1 = r0
	call 86
	r0 = *(u32 *)(r7 + 4)
1:
	r0 = 0
	exit
	.size refused_3, .-refused_3

	.section license,"aw",@progbits
	.asciz "GPL"
