# test: lift
# test: execute
# A map that the text defines is there when it is run: lookup, an atomic addition, an update.
	.section	xdp,"ax",@progbits
	.globl	count
	.type	count,@function
count:
	r1 = 1
	*(u32 *)(r10 - 4) = r1
	*(u64 *)(r10 - 16) = r1
	r2 = r10
	r2 += -4
	r1 = counters ll
	call 1
	if r0 == 0 goto 1f
	r1 = 1
	r1 = atomic_fetch_add((u64 *)(r0 + 0), r1)
	r0 = r1
	exit
1:
	r1 = counters ll
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -16
	r4 = 0
	call 2
	exit
	.size	count, .-count

	.section	maps,"aw",@progbits
	.globl	counters
	.type	counters,@object
counters:
	.long	1, 4, 8, 16, 0
	.size	counters, 20
