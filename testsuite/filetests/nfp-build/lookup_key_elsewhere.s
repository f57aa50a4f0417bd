# A key elsewhere: the index is moved there before the call.
# test: build --target nfp
# keep: assembly stats

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = r1
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 42
	if r4 > r3 goto pass
	r5 = *(u8 *)(r2 + 23)
	*(u32 *)(r10 - 8) = r5
	r5 = *(u32 *)(r2 + 26)
	*(u32 *)(r10 - 4) = r5
	r2 = r10
	r2 += -8
	r1 = table ll
	call 1				# where the frame begins
	if r0 == 0 goto pass
	r2 = r10
	r2 += -4
	r1 = table ll
	call 1				# a word behind
	if r0 == 0 goto pass
	r0 = *(u32 *)(r0 + 4)
	r0 &= 1
	exit
pass:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl table
	.type table,@object
table:
	.long 1, 4, 8, 16, 0
	.size table, 20
	.section license,"aw",@progbits
	.asciz "GPL"
