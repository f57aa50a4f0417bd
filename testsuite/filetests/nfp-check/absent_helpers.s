# test: check --target nfp
# Helpers that no firmware has; all of them are told at once, each with what to do.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	call 5
	r6 = r0
	call 8
	r6 += r0
	r1 = 3
	r2 = 0
	call 23
	r0 += r6
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
