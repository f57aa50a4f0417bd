# test: asm
# A suffix is not an instruction of 64 bits.
	r1 = 5ll
	r1 = 5 ll
	exit
