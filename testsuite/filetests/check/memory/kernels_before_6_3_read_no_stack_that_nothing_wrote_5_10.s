# test: check --kernel 5.10
# Kernels before 6.3 read no stack that nothing wrote.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	*(u32 *)(r10 - 8) = 1
	r0 = *(u64 *)(r10 - 8)
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	*(u8 *)(r10 - 4) = 1
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
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
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl accepted_4
	.type accepted_4,@function
accepted_4:
	*(u64 *)(r10 - 8) = 1
	r0 = *(u32 *)(r10 - 4)
	r0 = 0
	exit
	.size accepted_4, .-accepted_4

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
