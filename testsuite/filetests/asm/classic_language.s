# test: asm --syntax classic
# Everything but the instructions is as in the default dialect.
	.set	size, 4 * 2
	.macro	store register, at
	stxdw	[%r10-\at], %\register
	.endm
	.section xdp,"ax",@progbits	// a comment
	.globl	program
	.type	program,@function
program:
	store	r1, 8 ; store r2, size * 2	/* another */
	.rept	2
	add	%r1, size
	.endr
	lddw	%r1, counter
	.ifdef size
	ldxw	%r0, [%r1 + size]
	.endif
	jeq	%r0, 'a', .Lend
	ja	exit
.Lend:	exit
	.size	program, . - program
	.data
counter: .quad	1, program
