# test: check --target nfp
# Atomic operations other than addition without result, and elsewhere than in a map.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto 9f
	r1 = 1
	r1 = atomic_fetch_add((u64 *)(r0 + 0), r1)
	lock *(u64 *)(r0 + 8) |= r1
	lock *(u32 *)(r10 - 4) += w1
9:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2, 4, 16, 8, 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
