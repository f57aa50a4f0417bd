# test: check
# Sockets are assigned and only sometimes taken away.

	.section sk_lookup,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r2 = 0
	r3 = 0
	call 124
	r0 = 1
	exit
	.size accepted_1, .-accepted_1

	.section tc,"ax",@progbits
	.globl refused_2
	.type refused_2,@function
refused_2:
	r2 = 0
	r3 = 0
	call 124
	r0 = 1
	exit
	.size refused_2, .-refused_2

	.section license,"aw",@progbits
	.asciz "GPL"
