# test: diag
# A macro that calls itself without an end.
.macro forever n
	r1 = \n
	forever \n+1
.endm
	forever 0
