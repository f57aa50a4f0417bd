# test: asm
# keep: diagnostics
# What a macro makes has its warnings with the calls that made it.
f:
	.macro	bump register
	\register += 1
	.endm
	.macro	twice register
	bump \register
	bump \register
	.endm
	r0 = 0
	twice r3
	.rept 2
	*(u8 *)(r10 - 1) = 300
	.endr
	exit
