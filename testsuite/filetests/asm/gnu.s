# test: asm
# What GNU as takes in the default dialect and LLVM does not.
	r1 = *(u64 *)(r2)
	*(u32 *)(r1) = w2
	lock *(u64 *)(r1) += r2
	r1 = *(u64 *)(r2 + -8)
	r1 = *(u64 *)(r2 + (2 * 4))
	r0 = *(u16 *)skb[r2 + 4]
	exit
