# test: check
# Kernels before 6.3 read no stack that nothing wrote.

	.section xdp,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	*(u32 *)(r10 - 8) = 1
	r0 = *(u64 *)(r10 - 8)
	r0 = 0
	exit
	.size accepted_1, .-accepted_1

	.section xdp,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	*(u8 *)(r10 - 4) = 1
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

	.section xdp,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	*(u8 *)(r10 - 16) = 1
	r0 = *(u32 *)(r1 + 12)
	if r0 == 0 goto 1f
	*(u8 *)(r10 - 7) = r0
	r2 = 1
	r2 = 2
	r2 = 3
	r2 = 4
	r2 = 5
	goto 2f
1:
	r2 = 7
2:
	goto 3f
3:
	r0 = *(u8 *)(r10 - 7)
	r0 = 0
	exit
	.size accepted_3, .-accepted_3

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
