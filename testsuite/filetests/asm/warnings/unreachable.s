# test: asm
# keep: diagnostics
# What no path reaches: one warning for each run of such instructions.
	.section xdp,"ax",@progbits
	.globl after_exit
	.type after_exit,@function
after_exit:
	r0 = 2
	exit
	r0 = 1
	exit
	.size after_exit, .-after_exit

	.globl jumped_over
	.type jumped_over,@function
jumped_over:
	r0 = 0
	goto end
dead:
	r0 = 1
end:
	exit
	.size jumped_over, .-jumped_over

# Reached by a branch, by a call, by another file, and by an address.
	.globl fine
	.type fine,@function
fine:
	r2 = callback ll
	r0 = 0
	if r1 == 0 goto out
	call helper
out:
	exit
	.size fine, .-fine

helper:
	r0 = 7
	exit
callback:
	r0 = 8
	exit
	.globl other
other:
	r0 = 9
	exit
