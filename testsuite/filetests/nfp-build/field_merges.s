# Bytes put together become one field, and a field of another word is put in by one instruction.
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
	r5 = *(u8 *)(r2 + 12)
	r4 = *(u8 *)(r2 + 13)
	r5 <<= 8
	r5 |= r4
	if r5 != 0x800 goto pass
	r5 = *(u32 *)(r2 + 16)
	r4 = *(u32 *)(r2 + 20)
	w5 &= 0xffff00ff
	w4 &= 0xff00
	w5 |= w4
	*(u32 *)(r2 + 24) = r5
pass:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
