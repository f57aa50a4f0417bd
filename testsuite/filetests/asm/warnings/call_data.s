# test: asm
# keep: diagnostics
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	call counter
	call limit
# Code here and elsewhere.
	call g
	call elsewhere
	exit
	.size f, .-f
	.text
	.type g,@function
g:
	exit
	.size g, .-g
	.data
	.globl counter
	.type counter,@object
counter:
	.quad 0
limit:
	.quad 1
