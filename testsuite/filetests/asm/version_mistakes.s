# test: asm
# keep: diagnostics
# What cannot be a version, and names that would get two.
	.symver	f, f
	.symver	f
	.symver	f, f@V, keep
	.symver	g, g@A
	.symver	g, g@B
	.symver	h, h@@A
taken@V:
	.symver	f, taken@V
f:
	call	g
	exit
