# Sums and differences of 64 bits are two instructions by a carry, comparisons too.
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
	r4 = *(u64 *)(r2 + 8)
	r7 = r5
	r7 += r4
	r8 = r5
	r8 -= r4
	*(u64 *)(r2 + 16) = r7
	*(u64 *)(r2 + 24) = r8
	if r7 > r8 goto pass
	if r7 s< r5 goto pass
	r0 = 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
