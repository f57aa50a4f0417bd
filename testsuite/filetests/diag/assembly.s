# test: diag
# Mistakes that people make, each with its place.
start:
	r1 = r12
	r1 == 5
	w1 = *(u64 *)(r2 + 0)
	r1 = 0x123456789
	if r1 > w2 goto start
	goto nowhere
	*(u8 *)(r1 + 40000) = 3
	exti
	.p2align 70
	r1 = 5ll
	exit
	.type start,@nothing
