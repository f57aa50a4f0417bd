# test: check --target nfp
# Fields of the context that the card does not have.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 12)
	r3 = *(u32 *)(r1 + 16)
	r2 += r3
	*(u32 *)(r10 - 4) = r2
	r0 = 2
	exit
	.size f, .-f

	.section tc,"ax",@progbits
	.globl g
	.type g,@function
g:
	r2 = *(u32 *)(r1 + 8)
	*(u32 *)(r1 + 8) = r2
	r2 = *(u32 *)(r1 + 16)
	r0 = -1
	exit
	.size g, .-g
	.section license,"aw",@progbits
	.asciz "GPL"
