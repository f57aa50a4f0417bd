# test: check
# References without end are undecided.

	.section raw_tp/x,"ax",@progbits
	.globl undecided_1
	.type undecided_1,@function
undecided_1:
	r6 = 0
1:
	r1 = ring_1 ll
	r2 = 16
	r3 = 0
	call 131
	r6 += 1
	if r6 != 100000 goto 1b
	r0 = 0
	exit
	.section maps,"aw",@progbits
	.globl ring_1
	.type ring_1,@object
ring_1:
	.long 27
	.long 0
	.long 0
	.long 4096
	.long 0
	.size ring_1, 20
	.section raw_tp/x,"ax",@progbits
	.size undecided_1, .-undecided_1

	.section license,"aw",@progbits
	.asciz "GPL"
