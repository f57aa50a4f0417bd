# test: check --target nfp --nfp-caps all-helpers.json
# A counter that may begin with another number than zero; one that begins with it is none.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	call 7
	*(u64 *)(r10 - 24) = r0
	*(u64 *)(r10 - 16) = 0
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto 9f
	r1 = 1
	lock *(u64 *)(r0 + 8) += r1
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -24
	r4 = 0
	r1 = values ll
	call 2
	r2 = r10
	r2 += -4
	*(u64 *)(r10 - 32) = 1
	*(u64 *)(r10 - 40) = 0
	r3 = r10
	r3 += -40
	r4 = 0
	r1 = values ll
	call 2
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
