# test: diag
# Places in other files.
	.include "included/mistake.inc"
	.include "included/nothing.inc"
	.include included
	.incbin "included/nothing.bin"
	.incbin "included/bytes.bin", -1
	.include "included/bytes.bin", 2
	.include "included/loop.inc"
