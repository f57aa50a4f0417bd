# test: check
# Packet pointers end when the packet changes.

	.section xdp,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r6 = r1
	r7 = *(u32 *)(r1 + 0)
	r8 = *(u32 *)(r1 + 4)
	r9 = r7
	r9 += 1
	r0 = 1
	if r9 > r8 goto 1f
	r2 = 4
	call 44
	r0 = *(u8 *)(r7 + 0)
1:
	exit
	.size refused_1, .-refused_1

	.section license,"aw",@progbits
	.asciz "GPL"
