# test: check
# Helpers leave what they only read.

	.section xdp,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r3 = 7
	*(u32 *)(r10 - 8) = r3
	r2 = r10
	r2 += -8
	r1 = values ll
	call 1
	r2 = r10
	r2 += -8
	r1 = values ll
	call 1
	r1 = *(u64 *)(r0 + 0)
	r0 = 0
	exit
	.size accepted_1, .-accepted_1

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
