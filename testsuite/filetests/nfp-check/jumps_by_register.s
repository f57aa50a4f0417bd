# test: check --target nfp
# Where a register says where to go.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r1 = 1
	gotox r1
	r0 = 2
	exit
	.size f, .-f

	.section xdp,"ax",@progbits
	.globl g
	.type g,@function
g:
	r1 = 1
	callx r1
	r0 = 2
	exit
	.size g, .-g
	.section license,"aw",@progbits
	.asciz "GPL"
