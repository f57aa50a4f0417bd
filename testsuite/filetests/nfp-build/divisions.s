# By a number: a product with its inverse. By a power of two: a shift or a mask.
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
	r5 = *(u32 *)(r2 + 0)
	r4 = r5
	w4 /= 10
	*(u32 *)(r2 + 8) = r4
	r4 = r5
	w4 %= 7
	*(u32 *)(r2 + 12) = r4
	r4 = r5
	r4 /= 8
	r5 %= 8
	r4 += r5
	*(u32 *)(r2 + 16) = r4
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
