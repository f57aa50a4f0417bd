# test: diag
# keep: diagnostics
# What frames can tell of, and names that stay in the file.
f:
	.cfi_startproc
	.cfi_personality	0x50, g
	.cfi_personality	1, g
	.cfi_personality	0xff, g
	.cfi_personality	256, g
	.cfi_personality	0
	.cfi_personality	0, 5
	.cfi_lsda	2, g
	.cfi_lsda	0, .Lnowhere
	.cfi_label
	.cfi_label	f
	.cfi_b_key_frame
	exit
	.cfi_endproc
	.cfi_lsda	0, g
	.globl	.Lhere
.Lhere:
	exit
