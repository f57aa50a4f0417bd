# test: asm
# keep: diagnostics
# Where a jump goes through a register nothing is said about ways.
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = table ll
	r2 = *(u64 *)(r2 + 0)
	gotox r2
	r0 = r3
	exit
	.size f, .-f
	.section .jumptables,"",@progbits
table:
	.quad f
