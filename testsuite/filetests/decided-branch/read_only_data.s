# test: pass decided-branch,simplify-cfg,dce
# The kernel reads `limit` as a constant and walks one side, but a loader may set another value
# before it loads: both sides stay.
	.section .rodata,"a",@progbits
	.globl limit
	.type limit,@object
limit:
	.long 5
	.size limit, 4
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r1 = limit ll
	r1 = *(u32 *)(r1 + 0)
	if r1 == 5 goto five
	r0 = 1
	exit
five:
	r0 = 2
	exit
	.size f, .-f
