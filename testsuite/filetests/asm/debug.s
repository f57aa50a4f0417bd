# test: asm
# Line table and frames behind what the text itself puts into a section.
	.file	0 "/home" "a.c" md5 0x00112233445566778899aabbccddeeff
	.file	1 "/home" "h/b.h" md5 0x1
	.cfi_sections	.debug_frame
	.section	xdp,"ax",@progbits
f:
	.cfi_startproc
	.loc	0 7 3 prologue_end
	r0 = 1
	.cfi_def_cfa	r10, 16
	.loc	1 8 0 is_stmt 0
	exit
	.cfi_endproc
	.section	.debug_line,"",@progbits
	.ascii	"xyz"
