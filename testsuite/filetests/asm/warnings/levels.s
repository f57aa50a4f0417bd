# test: asm -W no-unreachable -W error=wide-store
# keep: diagnostics
# test: asm -W no-unreachable -W no-wide-store
# keep: diagnostics
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	*(u8 *)(r10 - 1) = 256
	r0 = 0
	exit
	exit
	.size f, .-f
