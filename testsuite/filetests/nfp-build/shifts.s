# Shifts of 32 and of 64 bits by a register, whose amount may be anything, and by one that is known to be small.
# test: build --target nfp
# keep: assembly stats

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = r1
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 42
	if r4 > r3 goto pass
	r5 = *(u64 *)(r2 + 0)
	r4 = *(u8 *)(r2 + 8)
	r7 = r5
	w7 <<= w4
	*(u32 *)(r2 + 12) = r7
	r5 >>= r4
	*(u64 *)(r2 + 16) = r5
	r4 &= 15
	r5 <<= r4
	*(u64 *)(r2 + 24) = r5
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
