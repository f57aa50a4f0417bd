# test: check --target nfp
# The card runs XDP programs and TC classifiers.

	.section socket,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 1
	exit
	.size f, .-f

	.section action,"ax",@progbits
	.globl g
	.type g,@function
g:
	r0 = 0
	exit
	.size g, .-g
	.section license,"aw",@progbits
	.asciz "GPL"
