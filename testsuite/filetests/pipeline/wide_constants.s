# Wide constants in the frame: one that is stored once goes there in halves, without a register and a
# slot less; one that is stored again and again is made once.
# test: build -O2
# keep: assembly
	.section	tc,"ax",@progbits
	.globl	once
	.type	once,@function
once:
	r6 = 0x1122334455667788 ll
	*(u64 *)(r10 - 8) = r6
	r1 = r10
	r1 += -8
	r2 = 8
	r3 = 0
	r4 = 0
	r5 = 0
	call 28
	exit
	.size	once, .-once
	.globl	often
	.type	often,@function
often:
	r1 = 0x1122334455667788 ll
	*(u64 *)(r10 - 8) = r1
	*(u64 *)(r10 - 16) = r1
	*(u64 *)(r10 - 24) = r1
	r1 = r10
	r1 += -24
	r2 = 24
	r3 = 0
	r4 = 0
	r5 = 0
	call 28
	exit
	.size	often, .-often
