# A frame larger than what one index reaches: two indices share it, and one more is computed for a byte at a variable place.
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
	r4 = *(u8 *)(r2 + 8)
	r4 &= 7
	r7 = r10
	r7 += r4
	r7 += -104
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
	*(u64 *)(r2 + 8) = r8
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
