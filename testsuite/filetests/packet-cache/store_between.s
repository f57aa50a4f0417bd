# A store to the bytes of the second load stands between: it must be read again. One elsewhere is in nobody's way.
# test: build --target nfp --prog f
# keep: assembly stats
# test: build --target nfp --prog g
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
	r5 = *(u8 *)(r2 + 23)
	*(u8 *)(r2 + 24) = r5		# among the bytes of the load behind it
	r0 = *(u16 *)(r2 + 24)
	r0 &= 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f

	.globl g
	.type g,@function
g:
	r6 = r1
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 42
	if r4 > r3 goto leave
	r5 = *(u8 *)(r2 + 23)
	*(u8 *)(r2 + 30) = r5
	r0 = *(u8 *)(r2 + 24)
	r0 &= 1
	exit
leave:
	r0 = 2
	exit
	.size g, .-g
	.section license,"aw",@progbits
	.asciz "GPL"
