# Loads farther apart than the registers of one read are two.
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
	r4 += 120
	if r4 > r3 goto pass
	r5 = *(u8 *)(r2 + 14)
	r0 = *(u8 *)(r2 + 100)
	r0 += r5
	r0 &= 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
