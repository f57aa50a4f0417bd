# test: check
# Sizes of memory must be bounded.

	.section tc,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r6 = r1
	call 7
	r4 = r0
	r1 = r6
	r2 = 0
	r3 = r10
	r3 += -64
	call 26
1:
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section tc,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r6 = r1
	call 7
	r4 = r0
	r4 &= 63
	r1 = r6
	r2 = 0
	r3 = r10
	r3 += -64
	call 26
1:
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section tc,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	r6 = r1
	call 7
	r4 = r0
	r4 &= 63
	if r4 == 0 goto 1f
	r1 = r6
	r2 = 0
	r3 = r10
	r3 += -64
	call 26
1:
	r0 = 0
	exit
	.size accepted_3, .-accepted_3

	.section tc,"ax",@progbits
	.globl refused_4
	.type refused_4,@function
refused_4:
	r6 = r1
	call 7
	r4 = r0
	r4 &= 127
	if r4 == 0 goto 1f
	r1 = r6
	r2 = 0
	r3 = r10
	r3 += -64
	call 26
1:
	r0 = 0
	exit
	.size refused_4, .-refused_4

	.section license,"aw",@progbits
	.asciz "GPL"
