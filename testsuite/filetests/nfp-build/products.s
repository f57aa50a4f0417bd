# The multiplier takes steps by the size of what it is given: 8, 16, 32 bits; products of 64 are made of three.
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
	r5 = *(u8 *)(r2 + 0)
	r4 = *(u8 *)(r2 + 1)
	r7 = r5
	r7 *= r4			# 8 by 8
	r8 = *(u32 *)(r2 + 4)
	r9 = r8
	r8 *= 1000			# 32 by 10
	r9 *= r9			# 32 by 32
	r4 = *(u64 *)(r2 + 16)
	r4 *= r9			# 64 by 64
	r4 += r7
	r4 += r8
	*(u64 *)(r2 + 24) = r4
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
