# test: check --target nfp
# A socket is memory of the kernel.

	.section tc,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = 0
	*(u64 *)(r10 - 8) = r2
	*(u64 *)(r10 - 16) = r2
	r2 = r10
	r2 += -16
	r3 = 12
	r4 = 0
	r5 = 0
	call 84
	if r0 == 0 goto 9f
	r6 = *(u32 *)(r0 + 4)
	r1 = r0
	call 86
9:
	r0 = -1
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
