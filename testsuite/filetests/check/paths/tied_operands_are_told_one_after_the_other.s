# test: check
# Tied operands are told one after the other.

	.section tc,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	call 8
	r5 = r0
	if r5 s<= r0 goto 1f
	if w0 != 0 goto 1f
	r0 = r9
1:
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section license,"aw",@progbits
	.asciz "GPL"
