# test: check --target nfp
# test: check --target nfp --nfp-caps no-queue.json
# On a card, a program may choose the packet's queue, if the firmware lets it; on the host it may not.
# test: check

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	*(u32 *)(r1 + 16) = 3
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
