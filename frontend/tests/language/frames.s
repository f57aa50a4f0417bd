# Frames with routines and data of their own, which the common parts tell of; labels in the table.
	.text
	.globl	handler
first:
	.cfi_startproc
	.cfi_personality 0x1b, elsewhere
	.cfi_lsda 0xb, table
	r0 = 0
	.cfi_def_cfa_offset 16
	exit
	.cfi_endproc
second:
	.cfi_startproc
	r0 = 0
	.cfi_def_cfa_offset 16
	.cfi_label in_between
	.cfi_def_cfa_offset 24
	.cfi_label behind
	exit
	.cfi_label last
	.cfi_endproc
handler:
	.cfi_startproc
	.cfi_personality 0, another
	r0 = 0
	exit
	.cfi_endproc
# Nothing at all, and data behind a label that is in no symbol table.
third:
	.cfi_startproc
	.cfi_personality 0xff
	.cfi_lsda 4, .Lmore
	.cfi_signal_frame
	r0 = 0
	exit
	.cfi_endproc
# These two have one common part.
fourth:
	.cfi_startproc
	.cfi_personality 0x9b, handler
	.cfi_lsda 0x1b, table
	r0 = 0
	exit
	.cfi_endproc
fifth:
	.cfi_startproc
	.cfi_personality 0x9b, handler
	.cfi_lsda 0x1b, table
	r0 = 0
	exit
	.cfi_endproc
sixth:
	.cfi_startproc
	.cfi_lsda 0x10, behind
	.cfi_return_column 3
	r0 = 0
	exit
	.cfi_endproc

	.data
	.long	behind - in_between, last - behind
table:
	.long	1
	.section	more,"a",@progbits
	.long	7
.Lmore:
	.quad	1
