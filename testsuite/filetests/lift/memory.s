# test: lift
# test: execute
# test: pass promote-stack,dce
# A program that looks into a packet, keeps values on the stack and calls a function with a pointer to them.
	.section	xdp,"ax",@progbits
	.globl	look
	.type	look,@function
look:
	r6 = *(u32 *)(r1 + 0)
	r7 = *(u32 *)(r1 + 4)
	r2 = r6
	r2 += 14
	r0 = 1
	if r2 > r7 goto 1f
	*(u64 *)(r10 - 24) = r6
	r3 = *(u8 *)(r6 + 12)
	*(u8 *)(r10 - 8) = r3
	r3 = *(s8 *)(r6 + 13)
	*(u8 *)(r10 - 7) = r3
	r1 = r10
	r1 += -8
	call both
	r6 = *(u64 *)(r10 - 24)
	*(u8 *)(r6 + 0) = r0
	r0 = 2
1:
	exit
	.size	look, .-look

	.text
	.p2align	3
	.type	both,@function
both:
	r0 = *(u8 *)(r1 + 0)
	r2 = *(u8 *)(r1 + 1)
	r0 |= r2
	exit
	.size	both, .-both
