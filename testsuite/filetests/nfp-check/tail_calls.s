# test: check --target nfp
# Tail calls, which the firmware must be able to pass on.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = programs ll
	r3 = 0
	call 12
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl programs
	.type programs,@object
programs:
	.long 3, 4, 4, 4, 0
	.size programs, 20
	.section license,"aw",@progbits
	.asciz "GPL"
