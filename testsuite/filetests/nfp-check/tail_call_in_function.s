# A tail call of a function, from which Linux would come back to the caller.
# test: check --target nfp --nfp-caps tail-calls.json

	.text
	.type callee,@function
callee:
	r2 = programs ll
	r3 = 0
	call 12
	r0 = 0
	exit
	.size callee, .-callee

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	call callee
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
