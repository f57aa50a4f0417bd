# Loads near each other, also in different blocks, are one read; without the pass each is its own.
# test: build --target nfp
# keep: assembly stats
# test: build --target nfp --disable packet-cache
# keep: stats

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
	r5 = *(u16 *)(r2 + 12)
	if r5 != 8 goto pass
	r5 = *(u8 *)(r2 + 23)
	if r5 != 17 goto pass
	r0 = *(u8 *)(r2 + 40)
	r0 &= 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
