# test: pass decided-branch,simplify-cfg,dce
# What was masked is checked again after it was on the stack: the walk knows of it there.
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 16)
	r2 &= 7
	*(u64 *)(r10 - 8) = r2
	call 7
	r2 = *(u64 *)(r10 - 8)
	if r2 > 7 goto bad
	if r0 == 0 goto zero
	r0 = 2
	exit
zero:
	r0 = 1
	exit
bad:
	r0 = 0
	exit
	.size f, .-f
