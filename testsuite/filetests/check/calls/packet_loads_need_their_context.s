# test: check
# Packet loads need their context.

	.section tc,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r6 = r1
	r0 = *(u8 *)skb[12]
	exit
	.size accepted_1, .-accepted_1

	.section tc,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r6 = r1
	r7 = 0
	r0 = *(u8 *)skb[12]
	r0 = r1
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r6 = r1
	r0 = *(u8 *)skb[12]
	exit
	.size refused_3, .-refused_3

	.section license,"aw",@progbits
	.asciz "GPL"
