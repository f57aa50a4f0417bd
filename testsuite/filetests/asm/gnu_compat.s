# test: diag --llvm-compat
# What GNU as takes, read as LLVM reads it.
	r1 = *(u64 *)(r2)
	r1 = *(u64 *)(r2 + -8)
	r0 = *(u16 *)skb[r2 + 4]
