# test: asm
# Files below the folder of this one, once and again.
	.include "included/definitions.inc"
	.include "included/../included/definitions.inc"
	finish XDP_PASS
	.section bytes,"",@progbits
	.incbin "included/bytes.bin"
	.incbin "included/bytes.bin", 9
	.incbin "included/bytes.bin", 0, 5
	.incbin "included/bytes.bin", 100
	.print "all was read"
