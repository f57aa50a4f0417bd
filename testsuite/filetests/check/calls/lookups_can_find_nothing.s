# test: check
# Lookups can find nothing.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	r0 = *(u64 *)(r0 + 0)
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r0 = *(u64 *)(r0 + 8)
1:
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r0 = *(u64 *)(r0 + 12)
1:
	r0 = 0
	exit
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl refused_4
	.type refused_4,@function
refused_4:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	r0 += 8
	r0 = 0
	exit
	.size refused_4, .-refused_4

	.section xdp,"ax",@progbits
	.globl accepted_5
	.type accepted_5,@function
accepted_5:
	r2 = r10
	r2 += -8
	r3 = 7
	*(u32 *)(r10 - 8) = r3
	r1 = values ll
	call 1
	r1 = *(u64 *)(r0 + 0)
	r0 = 0
	exit
	.size accepted_5, .-accepted_5

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
