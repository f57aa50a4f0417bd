# test: check --target nfp
# What Linux would not load is not examined with knowledge of its values.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 0)
	r0 = *(u8 *)(r2 + 0)
	call 5
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
