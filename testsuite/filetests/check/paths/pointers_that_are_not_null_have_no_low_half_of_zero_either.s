# test: check
# Pointers that are not null have no low half of zero either.

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
	if r0 != 0 goto 1f
	exit
1:
	if r0 == 0 goto 2f
	r0 = 0
	exit
2:
	r0 = r9
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
	if r0 != 0 goto 1f
	exit
1:
	if w0 == 0 goto 2f
	r0 = 0
	exit
2:
	r0 = r9
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
	if r0 != 0 goto 1f
	exit
1:
	if w0 == 1 goto 2f
	r0 = 0
	exit
2:
	r0 = r9
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
