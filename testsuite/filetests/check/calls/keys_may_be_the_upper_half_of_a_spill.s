# test: check
# Keys may be the upper half of a spill.

	.section xdp,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r3 = 0
	*(u64 *)(r10 - 16) = r3
	*(u64 *)(r10 - 8) = r3
	r3 = 3
	*(u64 *)(r10 - 8) = r3
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	r0 = 0
	exit
	.size accepted_1, .-accepted_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r3 = 0
	*(u64 *)(r10 - 16) = r3
	*(u64 *)(r10 - 8) = r3
	r3 = 3
	*(u64 *)(r10 - 8) = r3
	r2 = r10
	r2 += -8
	r1 = values ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r3 = 0
	*(u64 *)(r10 - 16) = r3
	*(u64 *)(r10 - 8) = r3
	r3 = 3
	*(u64 *)(r10 - 8) = r3
	r2 = r10
	r2 += -6
	r1 = values ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	r0 = 0
	exit
	.size refused_3, .-refused_3

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
