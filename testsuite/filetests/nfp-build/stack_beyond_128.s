# A frame beyond the reach of both indices: they move, as seldom as can be.
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
	*(u64 *)(r10 - 8) = r5
	*(u64 *)(r10 - 32) = r5
	*(u64 *)(r10 - 56) = r5
	*(u64 *)(r10 - 80) = r5
	*(u64 *)(r10 - 104) = r5
	*(u64 *)(r10 - 128) = r5
	*(u64 *)(r10 - 152) = r5
	*(u64 *)(r10 - 176) = r5
	*(u64 *)(r10 - 200) = r5
	r4 = *(u8 *)(r2 + 8)
	r4 &= 7
	r7 = r10
	r7 += r4
	r7 += -200
	r8 = *(u8 *)(r7 + 0)
	r4 = *(u64 *)(r10 - 8)
	r8 += r4
	r4 = *(u64 *)(r10 - 32)
	r8 += r4
	r4 = *(u64 *)(r10 - 56)
	r8 += r4
	r4 = *(u64 *)(r10 - 80)
	r8 += r4
	r4 = *(u64 *)(r10 - 104)
	r8 += r4
	r4 = *(u64 *)(r10 - 128)
	r8 += r4
	r4 = *(u64 *)(r10 - 152)
	r8 += r4
	r4 = *(u64 *)(r10 - 176)
	r8 += r4
	r4 = *(u64 *)(r10 - 200)
	r8 += r4
	*(u64 *)(r2 + 8) = r8
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
