# test: check --target nfp
# Verdicts of TC that the host cannot be told.

	.section tc,"ax",@progbits
	.globl accepts
	.type accepts,@function
accepts:
	r0 = 0
	exit
	.size accepts, .-accepts

	.section tc,"ax",@progbits
	.globl any
	.type any,@function
any:
	call 7
	exit
	.size any, .-any

	.section tc,"ax",@progbits
	.globl meets
	.type meets,@function
meets:
	r0 = 2
	r2 = *(u32 *)(r1 + 0)
	if r2 > 99 goto 1f
	r0 = 0
1:
	exit
	.size meets, .-meets

	.section tc,"ax",@progbits
	.globl drops_or_passes
	.type drops_or_passes,@function
drops_or_passes:
	call 7
	r6 = r0
	r0 = 2
	if r6 > 9 goto 1f
	r0 = -1
1:
	exit
	.size drops_or_passes, .-drops_or_passes
	.section license,"aw",@progbits
	.asciz "GPL"
