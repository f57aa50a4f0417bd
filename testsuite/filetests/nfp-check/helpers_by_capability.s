# test: check --target nfp --nfp-caps all-helpers.json
# The same with a file that offers it.

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
	r2 = r10
	r2 += -4
	r1 = values ll
	call 3
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
