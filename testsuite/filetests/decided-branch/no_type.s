# test: build --passes decided-branch,simplify-cfg,dce
# keep: changes
# test: run --type xdp
# test: run --type xdp -O2
# The section does not say the type. Whatever it is, the mask bounds what is compared.
	.section 2/1,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 8)
	r2 &= 7
	*(u64 *)(r10 - 8) = r2
	r2 = *(u64 *)(r10 - 8)
	if r2 > 7 goto bad
	r0 = 1
	exit
bad:
	r0 = 0
	exit
	.size f, .-f
