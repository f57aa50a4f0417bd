# test: check
# Numbers stay tied through constants added and taken.

	.section xdp,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	w0 = w0
	r7 = r0
	r7 += 4
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
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
	w0 = w0
	r7 = r0
	r7 -= 7
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

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
	w0 = w0
	r7 = r0
	r7 += -7
	if r7 > 8 goto 1f
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
	w0 = w0
	r7 = r0
	w7 -= 7
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size accepted_4, .-accepted_4

	.section xdp,"ax",@progbits
	.globl accepted_5
	.type accepted_5,@function
accepted_5:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	w0 = w0
	r7 = r0
	w7 += -7
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size accepted_5, .-accepted_5

	.section xdp,"ax",@progbits
	.globl refused_6
	.type refused_6,@function
refused_6:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	w0 = w0
	r7 = r0
	r7 -= 8
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size refused_6, .-refused_6

	.section xdp,"ax",@progbits
	.globl refused_7
	.type refused_7,@function
refused_7:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	w0 = w0
	r7 = r0
	w7 -= 8
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size refused_7, .-refused_7

	.section xdp,"ax",@progbits
	.globl refused_8
	.type refused_8,@function
refused_8:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	w0 = w0
	r7 = r0
	r7 -= 4
	r7 -= 1
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size refused_8, .-refused_8

	.section xdp,"ax",@progbits
	.globl refused_9
	.type refused_9,@function
refused_9:
	r2 = r10
	r2 += -4
	r3 = 9
	*(u32 *)(r10 - 4) = r3
	r1 = values ll
	call 1
	if r0 == 0 goto 1f
	r6 = r0
	call 7
	w0 = w0
	r7 = r0
	r0 <<= 1
	r7 = r0
	w7 -= 7
	if r7 > 8 goto 1f
	r6 += r0
	r0 = *(u8 *)(r6 + 0)
1:
	r0 = 0
	exit
	.size refused_9, .-refused_9

	.section xdp,"ax",@progbits
	.globl refused_10
	.type refused_10,@function
refused_10:
	call 7
	r9 = r0
	r9 -= 0x3fffffff
	if r9 > 0 goto 1f
	r3 = r10
	r3 += r9
1:
	r0 = 0
	exit
	.size refused_10, .-refused_10

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
