# test: diag
# Conditionals that are not understood or not closed.
	.else
	.endif
	.elseif 1
	.if label
	r1 = r99
	.else
	r1 = r98
	.endif
label:
	.if 1 +
	.endif
	.ifdef
	.endif
	.ifc one
	.endif
	.if 0
	this is no statement \
	.else
	.else
	.elseif 1
	.endif
.macro opens
	.if 1
.endm
	opens
	.if 1
	.if 0
	.endif
