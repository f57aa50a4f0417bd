# test: check
# Offsets must be bounded in both directions.

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
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	if r0 s> 15 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	if r0 > 15 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size accepted_3, .-accepted_3

	.section xdp,"ax",@progbits
	.globl accepted_4
	.type accepted_4,@function
accepted_4:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	r0 &= 15
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size accepted_4, .-accepted_4

	.section xdp,"ax",@progbits
	.globl refused_5
	.type refused_5,@function
refused_5:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	r0 &= 31
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size refused_5, .-refused_5

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
