# Words that are none, all of them told at once; words without what follows a program; no words.
# test: run --target nfp --words mistakes.words
# keep: diagnostics
# test: run --target nfp --words short.words
# keep: diagnostics
# test: run --target nfp --words no_such_file
# keep: diagnostics

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
