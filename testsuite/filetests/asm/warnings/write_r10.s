# test: asm
# keep: diagnostics
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r10 -= 8
	r10 = *(u64 *)(r1 + 0)
# A copy may be changed, and memory behind it.
	r2 = r10
	r2 += -8
	*(u64 *)(r10 - 8) = r1
	r0 = 0
	exit
	.size f, .-f
