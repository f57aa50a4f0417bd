# test: check
# Tail calls that come back changed nothing.

	.section xdp,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r6 = r1
	r7 = *(u32 *)(r1 + 0)
	r8 = *(u32 *)(r1 + 4)
	r9 = r7
	r9 += 1
	r0 = 1
	if r9 > r8 goto 1f
	r1 = r6
	r2 = programs ll
	r3 = 0
	call 12
	r0 = *(u8 *)(r7 + 0)
1:
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
	.globl programs
	.type programs,@object
programs:
	.long 3
	.long 4
	.long 4
	.long 4
	.long 0
	.size programs, 20
	.section license,"aw",@progbits
	.asciz "GPL"
