# The packet's beginning is moved by the program itself: its offset, and lengths that go with it; what cannot be gives an error.
# test: build --target nfp
# keep: assembly stats

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = r1
	r2 = -8
	call 44
	if r0 != 0 goto pass
	r2 = *(u32 *)(r6 + 0)
	r3 = *(u32 *)(r6 + 4)
	r4 = r2
	r4 += 8
	if r4 > r3 goto pass
	r5 = 0
	*(u64 *)(r2 + 0) = r5
	r0 = 3
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
