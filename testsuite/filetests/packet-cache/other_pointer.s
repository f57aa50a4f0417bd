# Two pointers, of which nobody knows how far they are from each other, are two reads.
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
	r4 += 80
	if r4 > r3 goto pass
	r5 = *(u8 *)(r2 + 14)
	r5 &= 15
	r4 = r2
	r4 += r5
	r7 = r4
	r7 += 24
	if r7 > r3 goto pass
	r0 = *(u8 *)(r4 + 20)
	r0 &= 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
