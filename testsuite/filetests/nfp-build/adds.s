# Additions of 1 and of small numbers are commands without data; larger ones, and those that are not known, take a register.
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
	r7 = *(u32 *)(r2 + 0)
	*(u32 *)(r10 - 4) = r5
	r2 = r10
	r2 += -4
	r1 = table ll
	call 1
	if r0 == 0 goto pass
	r1 = 1
	lock *(u64 *)(r0 + 0) += r1	# a number in the command itself
	r1 = 200
	lock *(u32 *)(r0 + 8) += r1
	r1 = 100000
	lock *(u32 *)(r0 + 12) += r1	# too large for that
	lock *(u64 *)(r0 + 16) += r7	# not known
pass:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl table
	.type table,@object
table:
	.long 1, 4, 24, 16, 0
	.size table, 20
	.section license,"aw",@progbits
	.asciz "GPL"
