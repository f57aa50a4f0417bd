# test: check --target nfp --nfp-caps all-helpers.json
# Events go to the processor at hand.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = 0
	*(u64 *)(r10 - 8) = r6
	r2 = events ll
	r3 = 1
	r4 = r10
	r4 += -8
	r5 = 8
	call 25
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl events
	.type events,@object
events:
	.long 4, 4, 4, 64, 0
	.size events, 20
	.section license,"aw",@progbits
	.asciz "GPL"
