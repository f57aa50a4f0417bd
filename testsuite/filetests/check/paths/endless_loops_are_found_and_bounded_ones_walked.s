# test: check
# Endless loops are found and bounded ones walked.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r0 = 0
1:
	goto 1b
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r0 = 0
1:
	if r0 == 0 goto 1b
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	r0 = 0
1:
	r0 += 1
	if r0 < 100 goto 1b
	r0 = 2
	exit
	.size accepted_3, .-accepted_3

	.section license,"aw",@progbits
	.asciz "GPL"
