# test: asm
# keep: diagnostics
	.section xdp,"ax",@progbits
	.globl falls
	.type falls,@function
falls:
	r0 = 2
	.size falls, .-falls

	.globl branches
	.type branches,@function
branches:
	r0 = 1
1:
	if r1 != 0 goto 1b
	.size branches, .-branches

# A jump back, and a call that need not return.
	.globl loops
	.type loops,@function
loops:
	r0 = 0
again:
	goto again
	.size loops, .-loops
	.globl stops
	.type stops,@function
stops:
	call throw
	.size stops, .-stops
