# test: check
# Memory that may be null fits where null does.

	.section tc,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	r3 = r0
	r1 = 0
	r2 = 0
	r4 = 8
	r5 = 0
	call 28
	r0 = 0
	exit
	.size accepted_1, .-accepted_1

	.section tc,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	r3 = r0
	r1 = 0
	r2 = 0
	r4 = 24
	r5 = 0
	call 28
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2
	.long 4
	.long 16
	.long 8
	.long 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
