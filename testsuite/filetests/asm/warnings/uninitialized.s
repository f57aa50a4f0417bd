# test: asm
# keep: diagnostics
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r3 = r2
	r3 += r2
	call 5
	r4 = r1
	exit
	.size f, .-f

# A helper's arguments, and a result that nobody made.
	.globl g
	.type g,@function
g:
	call 5
	r2 = 0
	call 1
	r0 = r0
	exit
	.size g, .-g
	.globl h
	.type h,@function
h:
	r6 = r1
	exit
	.size h, .-h

# Written on one path at least, in a loop, by a call, by an exchange.
	.globl fine
	.type fine,@function
fine:
	r6 = r1
	if r6 == 0 goto skip
	r7 = 1
skip:
	r7 += 1
	if r7 != 9 goto skip
	call 7
	r8 = r0
	r0 = cmpxchg_64(r6 + 0, r0, r7)
	r1 = 1
	r2 = 2
	r5 = 5
	call sub
	r0 = 0
	exit
	.size fine, .-fine

# A function that is called has arguments, and need not have a result.
	.text
	.type sub,@function
sub:
	*(u64 *)(r1 + 0) = r5
	exit
	.size sub, .-sub
