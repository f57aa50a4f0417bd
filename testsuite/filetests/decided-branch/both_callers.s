# test: build --passes decided-branch,simplify-cfg,dce
# keep: changes
# test: run --prog f
# test: run --prog f -O2
# Each caller by itself decides the first branch, both together do not. The second goes one way
# for both.
	.text
	.type part,@function
part:
	if r1 == 1 goto one
	if r1 > 2 goto more
	r0 = 1
	exit
one:
	r0 = 2
	exit
more:
	r0 = 0
	exit
	.size part, .-part
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r1 = 1
	call part
	r6 = r0
	r1 = 2
	call part
	r0 += r6
	r0 &= 1
	exit
	.size f, .-f
