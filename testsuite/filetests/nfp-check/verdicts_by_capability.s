# test: check --target nfp --nfp-caps accepts.json
# The same where no filter follows.

	.section tc,"ax",@progbits
	.globl accepts
	.type accepts,@function
accepts:
	r0 = 0
	exit
	.size accepts, .-accepts
	.section license,"aw",@progbits
	.asciz "GPL"
