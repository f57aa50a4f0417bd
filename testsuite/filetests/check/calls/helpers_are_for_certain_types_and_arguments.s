# test: check
# Helpers are for certain types and arguments.

	.section socket,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r2 = 0
	call 44
	r0 = 0
	exit
	.size refused_1, .-refused_1

	.section xdp,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	call 9999
	r0 = 0
	exit
	.size refused_2, .-refused_2

	.section xdp,"ax",@progbits
	.globl refused_3
	.type refused_3,@function
refused_3:
	r1 = 0
	r2 = r10
	r2 += -4
	call 1
	r0 = 0
	exit
	.size refused_3, .-refused_3

	.section xdp,"ax",@progbits
	.globl refused_4
	.type refused_4,@function
refused_4:
	r1 = values ll
	r2 = 3
	call 1
	r0 = 0
	exit
	.size refused_4, .-refused_4

	.section xdp,"ax",@progbits
	.globl refused_5
	.type refused_5,@function
refused_5:
	r1 = values ll
	r2 = 1
	r3 = 0
	call 51
	exit
	.size refused_5, .-refused_5

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
