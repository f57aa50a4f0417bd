# test: check --target nfp --endian big
# Programs of big-endian hosts.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
