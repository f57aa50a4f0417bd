# test: diag
# What GNU as takes and no kernel has, or that means something else to LLVM.
	*(u64 *)(r1 + 0) += r2
	r1 = *(s64 *)(r2 + 0)
	w1 = (s32)w2
	r0 = *(u64 *)skb[4]
	lock *(u32 *)(r1 + 0) |= r2
	goto1
