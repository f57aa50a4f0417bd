# test: dis --json
# A relocation in the second half of an instruction counts as one more.
f:
	r1 = other ll
	if r1 > 5 goto f
	call 12
	.byte 0xff, 1
	.reloc 8, R_BPF_64_ABS64, f
