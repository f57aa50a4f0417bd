# Bundles in which everything has room as it stands.
	.text
early:
	exit
	.bundle_align_mode 4
f:	r0 = 0
l1:	r1 = 5 ll
	r2 = 5 ll
	.bundle_lock
	r0 = 2
l3:	r0 = 3
	.bundle_unlock
	r0 = 9
	.bundle_lock align_to_end
	.bundle_lock
	r0 = 4
	.bundle_unlock
	.bundle_unlock
	if r0 == 5 goto l3
	exit
	.data
	.long l3 - f
	.bundle_align_mode 4
	.section other,"ax",@progbits
	.p2align 3
g:	r0 = 1
	exit
	.section third,"ax",@progbits
	.long 7
