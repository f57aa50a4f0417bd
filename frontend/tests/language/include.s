# Other files.
	.data
.include "included.inc"
.include "included.inc" ; .byte 1
from_include 7
.incbin "bytes.bin"
.incbin "bytes.bin", 2
.incbin "bytes.bin", 2, 3
.incbin "bytes.bin", 100
.incbin "bytes.bin", 6, 100
.incbin "bytes.bin",,2
.rept 2
.include "included.inc"
.incbin "bytes.bin", 7
.endr
# 12 "other.c"
	.byte 2
