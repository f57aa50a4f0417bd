# test: check
# A change of byte order that changes nothing keeps ties.

	.section tc,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r9 = values ll
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = r9
	call 1
	if r0 == 0 goto 1f
	r9 = r0
	call 5
	r5 = r0
	w4 = 0x347f24c7
	r5 -= r4
	r5 = le64 r5
	if r5 & -1 goto 1f
	r9 += r5
1:
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section tc,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	r9 = values ll
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = r9
	call 1
	if r0 == 0 goto 1f
	r9 = r0
	call 5
	r5 = r0
	w4 = 0x347f24c7
	r5 -= r4
	r5 = be64 r5
	if r5 & -1 goto 1f
	r9 += r5
1:
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

	.section tc,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	r9 = values ll
	*(u32 *)(r10 - 4) = 0
	r2 = r10
	r2 += -4
	r1 = r9
	call 1
	if r0 == 0 goto 1f
	r9 = r0
	call 5
	r5 = r0
	w4 = 0x347f24c7
	r5 -= r4
	r5 = le32 r5
	if r5 & -1 goto 1f
	r9 += r5
1:
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
