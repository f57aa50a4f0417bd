# test: asm
# Fractions and blocks of data.
	.data
	.float 1.5, -2, inf, 1e10, .5
	.double 1.25, 0x1.8p1, -nan
	.dcb.w 2, 3
	.ds.l 2
	.dc.b 7, 8
	.byte 1, 2
