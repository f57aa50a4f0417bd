# test: check --target nfp
# A word that is added to and loaded.

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
	lock *(u64 *)(r0 + 8) += r1
	r2 = *(u64 *)(r0 + 8)
	r2 = *(u64 *)(r0 + 0)
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
