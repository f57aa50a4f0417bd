# test: check --target nfp
# A global variable.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r1 = counter ll
	r0 = *(u32 *)(r1 + 0)
	r0 &= 3
	exit
	.size f, .-f

	.section .bss,"aw",@nobits
	.globl counter
	.type counter,@object
counter:
	.zero 4
	.size counter, 4
	.section license,"aw",@progbits
	.asciz "GPL"
