# test: check --target nfp
# Instructions that the card has nothing for.

	.section xdp,"ax",@progbits
	.globl budget
	.type budget,@function
budget:
	r0 = 2
1:
	may_goto 2f
	r0 = 1
	goto 1b
2:
	exit
	.size budget, .-budget

	.section xdp,"ax",@progbits
	.globl ordered
	.type ordered,@function
ordered:
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto 9f
	w1 = load_acquire((u32 *)(r0 + 0))
9:
	r0 = 2
	exit
	.size ordered, .-ordered

	.section xdp,"ax",@progbits
	.globl called_back
	.type called_back,@function
called_back:
	r1 = 4
	r2 = body ll
	r3 = 0
	r4 = 0
	call 181
	r0 = 2
	exit
	.size called_back, .-called_back

	.section .text,"ax",@progbits
	.globl body
	.type body,@function
body:
	r0 = 0
	exit
	.size body, .-body

	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2, 4, 16, 8, 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
