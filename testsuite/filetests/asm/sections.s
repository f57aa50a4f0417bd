# test: asm
# Two sections that call and name one another: relocations, sizes, a map, a string, zeroes.
	.section	tc,"ax",@progbits
	.globl	entry
	.type	entry,@function
entry:
	r1 = table ll
	r2 = counter ll
	r3 = variable + 8 ll
	call helper_in_text
	call outside
	exit
	.size	entry, .-entry

	.text
	.p2align	3
	.type	helper_in_text,@function
helper_in_text:
	r0 = 0
	exit
	.size	helper_in_text, .-helper_in_text

	.section	.maps,"aw",@progbits
	.globl	table
	.type	table,@object
table:
	.zero	32
	.size	table, 32

	.data
	.p2align	3
	.type	variable,@object
variable:
	.quad	1, 2
	.size	variable, 16

	.type	counter,@object
	.local	counter
	.comm	counter,8,8

	.section	.rodata.names,"a",@progbits
	.asciz	"one", "two\n"
	.long	entry
