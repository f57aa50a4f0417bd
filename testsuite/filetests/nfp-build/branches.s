# A byte is compared, and a bit asked for, where it lies in a word that was read.
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
	r5 = *(u8 *)(r2 + 12)
	if r5 == 8 goto drop		# br=byte
	r5 = *(u8 *)(r2 + 13)
	if r5 != 6 goto pass		# br!=byte
	r5 = *(u8 *)(r2 + 20)
	r5 &= 64
	if r5 != 0 goto drop		# br_bset
	r5 = *(u8 *)(r2 + 21)
	r5 &= 1
	if r5 == 0 goto drop		# br_bclr
	r5 = *(u8 *)(r2 + 22)
	if r5 > 9 goto drop		# a subtraction, and its carry
pass:
	r0 = 2
	exit
drop:
	r0 = 1
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
