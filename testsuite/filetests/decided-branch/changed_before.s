# test: pass simplify,decided-branch,simplify-cfg,dce
# What was found is of the input. `simplify` changed the function, so `decided-branch` has nothing.
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = *(u32 *)(r1 + 16)
	r6 += 0
	r6 &= 7
	*(u64 *)(r10 - 8) = r6
	r2 = *(u64 *)(r10 - 8)
	if r2 > 7 goto bad
	r0 = 2
	exit
bad:
	r0 = 0
	exit
	.size f, .-f
