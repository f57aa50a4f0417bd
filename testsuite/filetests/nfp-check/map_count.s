# test: check --target nfp --nfp-caps one-map.json
# More maps than the firmware has.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = one ll
	call 1
	if r0 == 0 goto 9f
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = two ll
	call 1
	if r0 == 0 goto 9f
9:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl one
	.type one,@object
one:
	.long 1, 4, 8, 1, 0
	.size one, 20
	.globl two
	.type two,@object
two:
	.long 1, 4, 8, 1, 0
	.size two, 20
	.section license,"aw",@progbits
	.asciz "GPL"
