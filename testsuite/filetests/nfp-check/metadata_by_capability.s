# test: check --target nfp --nfp-caps metadata.json
# Metadata with firmware that passes it on.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 8)
	r3 = *(u32 *)(r1 + 0)
	r4 = r2
	r4 += 4
	if r4 > r3 goto 9f
	r5 = *(u32 *)(r2 + 0)
9:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
