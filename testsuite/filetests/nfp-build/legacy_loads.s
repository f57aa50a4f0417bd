# Legacy loads compare with the packet's length and leave the program, with 0, where it ends before.
# test: build --target nfp --nfp-caps accepts.json
# keep: assembly stats

	.section tc,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = r1
	r0 = *(u16 *)skb[12]
	if r0 != 0x800 goto pass
	r0 = *(u8 *)skb[14]
	r7 = r0
	r7 &= 15
	r7 <<= 2
	r7 += 22
	r0 = *(u8 *)skb[r7]
	if r0 != 17 goto pass
	r0 = 2
	exit
pass:
	r0 = -1
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
