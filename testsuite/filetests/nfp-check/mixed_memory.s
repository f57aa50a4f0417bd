# test: check --target nfp
# One instruction that loads from the stack on one way and from a map on the other.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	*(u64 *)(r10 - 16) = 5
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto 9f
	call 7
	r8 = r0
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto 9f
	r7 = r0
	if r8 > 5 goto 1f
	r7 = r10
	r7 += -16
1:
	r1 = *(u64 *)(r7 + 0)
9:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2, 4, 16, 8, 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
