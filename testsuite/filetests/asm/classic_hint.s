# test: diag
# Instructions of the other dialect.
	mov %r0, 1
	ldxw %r1, [%r2+4]
	jeq r1, 5, label
	endbe %r0, 16
	exit
