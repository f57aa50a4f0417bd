# Two functions: the program adds up words of the packet by a function in .text, and keeps values on the stack.

	.section	tc,"ax",@progbits
	.globl	sum_words
	.type	sum_words,@function
sum_words:
	r6 = r1
	r1 = *(u32 *)(r6 + 76)		# data
	r2 = *(u32 *)(r6 + 80)		# data_end
	r3 = r1
	r3 += 34
	if r3 > r2 goto 1f
	r4 = *(u64 *)(r1 + 14)
	*(u64 *)(r10 - 16) = r4
	r4 = *(u64 *)(r1 + 22)
	*(u64 *)(r10 - 8) = r4
	r1 = *(u64 *)(r10 - 16)
	r2 = *(u64 *)(r10 - 8)
	call fold
	*(u32 *)(r6 + 8) = r0		# mark
	r0 &= 3
	if r0 s> 1 goto 2f
1:
	r0 = 0
	exit
2:
	r0 = 2
	exit
	.size	sum_words, .-sum_words

	.text
	.p2align	3
	.type	fold,@function
fold:
	w0 = w1
	r1 >>= 32
	r0 += r1
	w3 = w2
	r0 += r3
	r2 >>= 32
	r0 += r2
	r5 = 3				# three rounds reach sixteen bits
3:
	r4 = r0
	r4 >>= 16
	r0 &= 0xffff
	r0 += r4
	r5 += -1
	if r5 != 0 goto 3b
	r0 ^= 0xffff
	exit
	.size	fold, .-fold

	.section	license,"aw",@progbits
	.asciz	"Dual MIT/GPL"
