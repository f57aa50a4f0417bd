# test: check --target nfp
# Addresses of an arena.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r1 = 0
	r1 = addr_space_cast(r1, 0, 1)
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
