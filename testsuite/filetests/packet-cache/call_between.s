# A helper between that moves the packet's beginning makes another packet of it.
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
	r7 = *(u8 *)(r2 + 14)
	r1 = r6
	r2 = 4
	call 44
	r2 = *(u32 *)(r6 + 0)
	r3 = *(u32 *)(r6 + 4)
	r4 = r2
	r4 += 42
	if r4 > r3 goto pass
	r0 = *(u8 *)(r2 + 14)
	r0 += r7
	r0 &= 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
