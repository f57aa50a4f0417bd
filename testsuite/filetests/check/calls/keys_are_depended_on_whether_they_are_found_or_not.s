# test: check
# Keys are depended on whether they are found or not.

	.section xdp,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	call 7
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	goto 4f
4:
	r7 = 9
	if r0 > 5 goto 1f
	r7 = 11
1:
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	goto 2f
2:
	goto 3f
3:
	*(u32 *)(r10 - 8) = r7
	r2 = r10
	r2 += -8
	r1 = values ll
	call 1
	r0 = 0
	exit
	.size accepted_1, .-accepted_1

	.section xdp,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	call 7
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	goto 4f
4:
	r7 = 9
	if r0 > 5 goto 1f
	r7 = 11
1:
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	r1 = 0
	goto 2f
2:
	goto 3f
3:
	*(u32 *)(r10 - 8) = r7
	r2 = r10
	r2 += -8
	r1 = values ll
	call 3
	r0 = 0
	exit
	.size accepted_2, .-accepted_2

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
