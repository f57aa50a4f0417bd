# What runs and is wrong all the same.
# test: run --target nfp --words hazards.words
# keep: results steps

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
