# test: diag
# Directives that others carry out, each with a reason.
	.cv_file 1 "a.c"
	.stabs "a", 1, 2, 3, 4
	.nops 8
	.dcb.x 1, 1
	.reloc 0, R_X86_64_NONE, f
	.reloc 80, R_BPF_64_64, f
	.subsection -1
	.float 0x10, label
	.weakref a, a
	.section g,"aG"
	.section o,"ao",@progbits,undefined
	.long outside - .
f:	r1 = f
	.word 5
