# A function called twice is there once; what it changes is kept from its callers' registers, and its frame lies behind theirs.
# test: build --target nfp
# keep: assembly stats

	.text
	.type mix,@function
mix:
	r0 = r1
	r0 ^= r2
	if r0 > 1000 goto large
	r0 *= 3
large:
	r0 += 1
	exit
	.size mix, .-mix

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
	r7 = r2
	r1 = *(u32 *)(r7 + 0)
	r2 = *(u32 *)(r7 + 4)
	call mix
	r8 = r0
	r1 = *(u32 *)(r7 + 8)
	r2 = r8
	call mix
	r0 += r8
	*(u32 *)(r7 + 12) = r0
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
