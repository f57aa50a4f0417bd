# test: asm
# One instruction of each shape. What clang prints and llvm-mc refuses (r1 = w2) is taken too.
	.text
all:
	r1 = 5
	w1 = -5
	r2 = r1
	w2 = w1
	r1 = w2
	r2 = 0x123456789abcdef0 ll
	r3 = (s8)r1
	r3 += r1
	r3 s>>= 7
	r3 s/= r1
	w3 s%= 3
	r3 = -r3
	r3 = be16 r3
	r3 = le64 r3
	r3 = bswap32 r3
	r4 = *(u8 *)(r10 - 1)
	r4 = *(s16 *)(r10 - 2)
	*(u32 *)(r10 - 4) = r4
	*(u64 *)(r10 - 16) = 7
	lock *(u64 *)(r10 - 16) += r4
	r4 = atomic_fetch_or((u64 *)(r10 - 16), r4)
	w4 = xchg32_32(r10 - 4, w4)
	r0 = cmpxchg_64(r10 - 16, r0, r4)
	r6 = r1
	r0 = *(u16 *)skb[12]
	r0 = *(u8 *)skb[r4]
	if r1 == r2 goto 1f
	if w1 s> -3 goto 1f
	if r1 & 8 goto all
	goto 1f
	gotol 1f
	call 5
	call all
1:	exit
