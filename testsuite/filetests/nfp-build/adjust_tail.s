# The packet's end is moved, by a distance that is not known.
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
	r7 = *(u8 *)(r2 + 16)
	r1 = r6
	r2 = 0
	r2 -= r7
	call 65
	if r0 != 0 goto pass
	r0 = 3
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
