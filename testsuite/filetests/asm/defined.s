# test: asm -D SIZE=64 -D DEBUG --defsym BASE=-0x10
# Constants of the command line.
	.ifdef DEBUG
	r1 = SIZE
	r2 = BASE + DEBUG
	.else
	.error "not defined"
	.endif
