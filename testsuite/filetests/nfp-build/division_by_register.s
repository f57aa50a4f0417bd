# By a register: a loop that finds a bit in each round.
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
	r5 = *(u32 *)(r2 + 0)
	r4 = *(u32 *)(r2 + 4)
	w5 /= w4
	*(u32 *)(r2 + 8) = r5
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
