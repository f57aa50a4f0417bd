# test: check
# Another copy of the pointer is read beyond what was compared.
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r2 = r6
	r2 += 14
	r4 = r6            # another pointer
	r4 += 10
	if r2 > r3 goto out
	r0 = *(u32 *)(r4 + 4)
	r0 &= 1
	r7 = r4
	r0 = *(u64 *)(r7 + 4)
	r0 = 2
out:
	r0 = 1
	exit
