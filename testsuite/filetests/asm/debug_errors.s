# test: diag
# keep: diagnostics
	.file	0 "a.c"
	.file	1 "a.c" md4 0x1
	.file	1 "a.c" md5
	.file	1 "a.c" md5 0x123456789012345678901234567890123
	.file	1 "a\000.c"
	.file	99999999999 "a.c"
	.file	1 "a.c"
	.file	1 "b.c"
	.file	4 "c.c"
	.loc	2 5 3
	.loc	0 5 3
	.loc	1 5 3 is_stmt 2
	.loc	1 5 3 view 0
	.loc	1 5 3 isa
	.loc	1, 5, 3
	.loc	1 4294967296
	.cfi_sections	.text
	.cfi_endproc
	.cfi_startproc	plain
	.cfi_startproc
	.cfi_startproc
	r0 = 0
	.cfi_def_cfa	r10, -8
	.cfi_def_cfa	r12, 8
	.cfi_def_cfa	10
	.cfi_offset	6, -7
	.cfi_restore_state
	.cfi_escape	1, 256
	.cfi_return_column	256
	.cfi_personality	0, f
	.data
	.cfi_endproc
