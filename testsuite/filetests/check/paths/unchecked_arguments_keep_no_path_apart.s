# test: check
# Arguments that a helper may have and are not checked count as not read: what `r5` holds keeps no path
# apart. Linux walks 29 instructions.
	.section socket,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r9 = r1
1:
	may_goto 9f
	r6 = *(u8 *)(r9 + 16)
	r6 &= 1
	if r6 == 0 goto 4f
	r2 = r6
	r1 = r10
	r1 += -1
	call 6
4:
	may_goto 8f
	if w6 s> 1 goto 5f
	goto 6f
5:
	r1 = values ll
	call 1
6:
	call 14
	r5 = r0
	goto 4b
8:
	goto 1b
9:
	r0 = 0
	exit
	.size accepted_1, .-accepted_1
	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2
	.long 4
	.long 16
	.long 8
	.long 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
