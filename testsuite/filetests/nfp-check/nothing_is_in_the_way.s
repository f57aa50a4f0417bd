# test: check --target nfp
# What only Linux's translator cannot do is no obstacle: modulo, division by register, le, bswap, sign extension, stores of
# immediates, products of 64 bits, variable stack offsets, calls.

	.section xdp,"ax",@progbits
	.globl everything
	.type everything,@function
everything:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	if r4 > r3 goto 9f
	
	*(u16 *)(r2 + 12) = 8
	r5 = *(u8 *)(r2 + 0)
	r6 = *(s16 *)(r2 + 2)
	r5 %= 10
	r6 *= r6
	r6 /= r5
	r6 = bswap32 r6
	r6 = le16 r6
	r7 = (s8)r6
	r6 &= 7
	*(u64 *)(r10 - 8) = 1
	r8 = r10
	r8 += r6
	r0 = *(u8 *)(r8 - 8)
	r1 = r0
	call half
	if w0 > 3 goto 9f
	exit
9:
	r0 = 2
	exit
	.size everything, .-everything

	.section .text,"ax",@progbits
	.globl half
	.type half,@function
half:
	r0 = r1
	r0 >>= 1
	exit
	.size half, .-half

	.section xdp,"ax",@progbits
	.globl counts
	.type counts,@function
counts:
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto 9f
	r1 = 1
	lock *(u64 *)(r0 + 0) += r1
9:
	r0 = 2
	exit
	.size counts, .-counts

	.section tc,"ax",@progbits
	.globl classified
	.type classified,@function
classified:
	r2 = *(u32 *)(r1 + 76)
	r3 = *(u32 *)(r1 + 80)
	r4 = r2
	r4 += 14
	if r4 > r3 goto 9f
	r0 = 7
	exit
9:
	r0 = -1
	exit
	.size classified, .-classified

	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2, 4, 16, 8, 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
