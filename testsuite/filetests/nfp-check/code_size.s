# test: check --target nfp --nfp-caps small.json
# More code than fits.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 2
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
