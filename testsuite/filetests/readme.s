# The same for assembly: a file test whose first comments say what runs (see readme.mir).
#
# test: asm
# test: lift
# test: execute
# expect: triple(14) == 42
#
# `asm` and `lift` give the object and its MIR, which are kept in readme.s.snap. `execute` interprets
# the functions on generated inputs and checks the line above.
	.globl	triple
	.type	triple,@function
triple:
	r0 = r1
	r0 *= 3
	exit
	.size	triple, .-triple
