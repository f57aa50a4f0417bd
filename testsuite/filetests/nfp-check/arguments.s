# test: check --target nfp
# Keys that the firmware cannot read.

	.section xdp,"ax",@progbits
	.globl packet
	.type packet,@function
packet:
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	if r4 > r3 goto 9f
	r1 = values ll
	call 1
9:
	r0 = 2
	exit
	.size packet, .-packet

	.section xdp,"ax",@progbits
	.globl unaligned
	.type unaligned,@function
unaligned:
	r6 = 0
	*(u64 *)(r10 - 8) = r6
	*(u64 *)(r10 - 16) = r6
	r2 = r10
	r2 += -7
	r1 = values ll
	call 1
	r0 = 2
	exit
	.size unaligned, .-unaligned

	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2, 4, 16, 8, 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
