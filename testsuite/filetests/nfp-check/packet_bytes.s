# test: check --target nfp --nfp-caps jumbo.json
# Bytes of the packet that are not at hand.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 2000
	if r4 > r3 goto 9f
	r0 = *(u8 *)(r2 + 1999)
	r0 = *(u8 *)(r2 + 1800)
9:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
