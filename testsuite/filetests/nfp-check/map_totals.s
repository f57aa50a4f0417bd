# test: check --target nfp
# Elements of all maps together, and the memory that they need.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = many ll
	call 1
	if r0 == 0 goto 9f
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = more ll
	call 1
	if r0 == 0 goto 9f
9:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl many
	.type many,@object
many:
	.long 1, 4, 8, 1500000, 0
	.size many, 20
	.globl more
	.type more,@object
more:
	.long 1, 4, 8, 1000000, 0
	.size more, 20
	.section license,"aw",@progbits
	.asciz "GPL"
