# Stores that fill a range are one write; a gap, or a load of what is written, makes two. Without the pass each is its own.
# test: build --target nfp
# keep: assembly stats
# test: build --target nfp --disable memcpy
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
	r5 = 1
	*(u16 *)(r2 + 0) = r5
	*(u16 *)(r2 + 2) = r5
	*(u32 *)(r2 + 4) = r5
	*(u8 *)(r2 + 9) = r5		# a gap of one byte
	r0 = *(u8 *)(r2 + 9)
	*(u8 *)(r2 + 10) = r5		# the load is before it
	r0 &= 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
