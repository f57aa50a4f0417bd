# Events are told as they arrive; a program may write to a map what it found.
# test: run --target nfp --nfp-caps all-helpers.json --packet '0202020202020101010101010800 4500001c000040004011f96c0a0000010a000002 1111003500080000' --packet '0202020202020101010101010800 45000028000040004006f96c0a0000010a000002 11112222000000000000000050020000 00000000'
# keep: results maps steps

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = r1
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 24
	if r4 > r3 goto pass
	r7 = *(u8 *)(r2 + 23)
	*(u32 *)(r10 - 4) = r7
	r8 = 0x11223344
	*(u32 *)(r10 - 8) = r8
	r2 = r10
	r2 += -4
	r3 = r10
	r3 += -8
	r4 = 0
	r1 = seen ll
	call 2
	r1 = r6
	r2 = events ll
	r3 = 0xffffffff ll
	r4 = r10
	r4 += -8
	r5 = 8
	call 25
pass:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl events
	.type events,@object
events:
	.long 4, 4, 4, 64, 0
	.size events, 20
	.globl seen
	.type seen,@object
seen:
	.long 1, 4, 4, 64, 0
	.size seen, 20
	.section license,"aw",@progbits
	.asciz "GPL"
