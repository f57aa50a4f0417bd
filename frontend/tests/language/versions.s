# Versions of symbols: kept beside the first name, in its place, and chosen by whether it is defined.
	.globl	f
f:
	r0 = 0
	exit
	.symver	f, f@V1
	.symver	g, g@V2
	call	g
	.symver	h, h@@@V3
	r1 = h ll
	.symver	f, ff@@V4, remove
inner:
	exit
	.symver	inner, inner@V
	.symver	unused, unused@V
	.weak	w
	.symver	w, w@V5
	call	w
	.hidden	hid
	.type	hid, @function
hid:
	.symver	hid, hid@@@V6
	exit
	.size	hid, 8
	.data
	.long	f
	.long	g+4
	.long	inner
	.addrsig
	.addrsig_sym g
	.addrsig_sym f
