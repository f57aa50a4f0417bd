# The same for assembly: a file test whose first comments say what runs (see readme.mir).
#
# test: asm
# test: lift
# test: run
# run: triple(14) == 42
#
# `asm` keeps the object in readme.asm.snap, `lift` the MIR in readme.lift.snap, since both give a
# text. `run` interprets the functions on generated inputs and checks the line above.
	.globl	triple
	.type	triple,@function
triple:
	r0 = r1
	r0 *= 3
	exit
	.size	triple, .-triple
