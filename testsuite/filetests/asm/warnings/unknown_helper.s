# test: asm
# keep: diagnostics
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	call 0
	call 212
	call -1
# The first and the last one that exist.
	r2 = 0
	r1 = 0
	call 1
	r1 = 0
	r2 = 0
	call 211
	exit
	.size f, .-f
