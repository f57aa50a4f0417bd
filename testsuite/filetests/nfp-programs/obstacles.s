# What keeps a program from the card is told as `check` tells it, and nothing runs.
# test: run --target nfp
# keep: diagnostics

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	call 5
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
