# test: build --passes decided-branch,simplify-cfg,dce
# keep: changes
# A program that is refused tells nothing: what follows its fault was never walked.
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 16)
	r2 &= 7
	if r2 > 7 goto bad
	r0 = *(u32 *)(r1 + 400)
	exit
bad:
	r0 = 0
	exit
	.size f, .-f
