# test: diag
# Much from little: refused before it is made.
.macro double text:vararg
	double \text \text
.endm
	.rept 3
	exi
	.endr
	.rept 0x10000000
	r0 = 1
	.endr
