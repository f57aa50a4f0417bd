# test: dis
# test: dis --names
# Branches go to labels, helpers and symbols have names; without names, what llvm-objdump prints.
	.section xdp,"ax",@progbits
	.globl main
	.type main,@function
main:
	r6 = r1
	r1 = table ll
	r2 = counters+8 ll
	call 1
	if r0 == 0 goto out
	call helper
	call elsewhere
out:
	r0 = 2
	exit
helper:
	r0 = *(u8 *)(r6 + 1)
	goto +100
	exit
	.data
counters:
	.quad 1, 2
	.section maps,"aw",@progbits
	.globl table
table:
	.zero 20
