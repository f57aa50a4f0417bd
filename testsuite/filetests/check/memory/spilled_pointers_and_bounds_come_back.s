# test: check
# Spilled pointers and bounds come back.

	.section xdp,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	*(u64 *)(r10 - 8) = r1
	r2 = *(u64 *)(r10 - 8)
	r0 = *(u32 *)(r2 + 12)
	r0 = 0
	exit
	.size accepted_1, .-accepted_1

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
	r6 = r0
	call 7
	*(u64 *)(r10 - 16) = r0
	if r0 > 8 goto 1f
	r1 = *(u64 *)(r10 - 16)
	r6 += r1
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

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
