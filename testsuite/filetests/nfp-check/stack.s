# test: check --target nfp
# Frames of a chain of calls, in units of 64 bytes.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r1 = 0
	*(u64 *)(r10 - 200) = r1
	call callee
	r0 = 2
	exit
	.size f, .-f

	.section .text,"ax",@progbits
	.globl callee
	.type callee,@function
callee:
	r6 = 0
	*(u64 *)(r10 - 280) = r6
	r0 = 0
	exit
	.size callee, .-callee
	.section license,"aw",@progbits
	.asciz "GPL"
