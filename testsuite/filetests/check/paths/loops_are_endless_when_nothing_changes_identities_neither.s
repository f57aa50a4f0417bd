# test: check
# Loops are endless when nothing changes identities neither.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
1:
	call 14
	r6 = r0
	if r6 s< 0 goto 2f
	goto 1b
2:
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
1:
	call 14
	if r0 s< 0 goto 2f
	goto 1b
2:
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section license,"aw",@progbits
	.asciz "GPL"
