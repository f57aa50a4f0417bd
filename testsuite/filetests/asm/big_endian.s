# test: asm --endian big
# The same bytes the other way round; register fields change places too.
	.text
big:
	r1 = 0x1020304
	r2 = *(u16 *)(r10 - 258)
	r2 = 0x1122334455667788 ll
	if r1 > 3 goto big
	exit
	.data
	.short	0x102
	.long	0x1020304
