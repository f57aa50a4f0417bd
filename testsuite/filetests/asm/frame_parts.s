# test: dis
# Data that are encoded as 0 are no reason for llvm-mc to tell of them.
f:
	.cfi_startproc
	exit
	.cfi_endproc
g:
	.cfi_startproc
	.cfi_lsda	0, f
	exit
	.cfi_endproc
