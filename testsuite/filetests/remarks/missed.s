# Each function lacks one fact that a pass needs; slots stand where there is no line information.
# test: build -O2
# keep: remarks

	.section	xdp,"ax",@progbits
	.globl	reads
	.type	reads,@function
reads:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = *(u32 *)(r1 + 16)
	r5 = r2
	r5 += 64
	if r5 > r3 goto .Lout
	r4 &= 31
	r4 += r2
	r0 = *(u32 *)(r2 + 0)
	r6 = *(u8 *)(r2 + 4)
	*(u8 *)(r4 + 0) = r0		# may change both of what follows
	r7 = *(u32 *)(r2 + 0)
	r8 = *(u8 *)(r2 + 5)
	r8 <<= 8
	r6 |= r8
	r0 ^= r7
	r0 += r6
	r0 &= 1
	exit
.Lout:
	r0 = 2
	exit
	.size	reads, .-reads

	.section	xdp/lends,"ax",@progbits
	.globl	lends
	.type	lends,@function
lends:
	r6 = *(u32 *)(r1 + 16)
	*(u64 *)(r10 - 24) = r6		# nothing reads it but who has the address
	*(u64 *)(r10 - 8) = r6
	r1 = r10
	r1 += -8
	call borrows
	exit
	.size	lends, .-lends

	.section	.text,"ax",@progbits
	.type	borrows,@function
borrows:
	r0 = *(u64 *)(r1 + 0)
	r0 &= 1
	exit
	.size	borrows, .-borrows
