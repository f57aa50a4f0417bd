# More code than fits: by an estimate where something else is in the way, by its words where nothing is. What the estimate
# took for too large and is not can be offloaded.
# test: check --target nfp --nfp-caps small.json

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 2
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	exit
	.size f, .-f

	.globl estimated
	.type estimated,@function
estimated:
	call 8
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	r0 *= 3
	exit
	.size estimated, .-estimated

	.globl large
	.type large,@function
large:
	r6 = r1
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 42
	if r4 > r3 goto pass
	r0 = *(u64 *)(r2 + 0)
	r5 = *(u64 *)(r2 + 8)
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	r0 *= r5
	r0 ^= r5
	exit
pass:
	r0 = 2
	exit
	.size large, .-large
	.section license,"aw",@progbits
	.asciz "GPL"
