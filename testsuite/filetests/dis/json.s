# test: dis --json
f:
	r1 = other ll
	if r1 > 5 goto f
	call 12
	.byte 0xff, 1
