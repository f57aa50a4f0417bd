# Line tables and frames as no compiler writes them: several sections, files without checksums, frames of several kinds.
	.file	"first.c"
	.file	1 "folder" "a.c"
	.file	2 "sub/b.h"
	.file	3 "folder" "c.c"
	.file	4 "/d.h"
	.file	5 "deep//e.h"
	.file	6 "folder/"
	.file	7 "x" ""
	.cfi_sections	.eh_frame, .debug_frame
f:
	.cfi_startproc
	.loc	1 5 3
	.loc	2 7
	r0 = 1
	.cfi_def_cfa_offset	16
	.loc	1 6 3 isa 3 basic_block epilogue_begin
	r0 = 2
	.cfi_offset	10, -16
	.cfi_adjust_cfa_offset	8
	.cfi_def_cfa	10, 8
	.cfi_def_cfa_register	9
	.loc	3 6 3 discriminator 300
	r0 = 3
	.cfi_escape	1, 2, 3
	.cfi_restore	10
	.cfi_same_value	10
	.cfi_undefined	10
	.cfi_register	9, 10
	.cfi_rel_offset	9, 16
	.cfi_offset	10, 16
	.cfi_offset	70, -16
	.cfi_restore	70
	.zero	2400
	.cfi_def_cfa_offset	24
	.loc	3 900 3 is_stmt 0
	exit
	.cfi_endproc
g:
	.cfi_startproc	simple
	.cfi_return_column	5
	.loc	3 901
	exit
	.cfi_endproc
h:
	.cfi_startproc
	.cfi_signal_frame
	exit
	.zero	524288
	.cfi_def_cfa_offset	24
	.loc	1 1
	exit
	.cfi_endproc
i:
	.cfi_startproc
	.cfi_endproc

	.data
	.loc	1 8
	.long	5
	.loc	1 9
	.ident	"drops the line"
	.long	5
	.loc	2 10
	.uleb128	end - begin
	.loc	2 11
	.zero	7
begin:
	.zero	130
end:
	.loc	2 12
	.ascii	"after a number whose size was open"

	.section	.eh_frame
	.zero	3
	.section	.debug_line
	.long	1
	.text
	.loc	1 13
