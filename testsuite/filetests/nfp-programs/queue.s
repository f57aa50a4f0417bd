# A program chooses the queue; of TC, one sends a packet back.
# test: run --target nfp --prog chooses --packet '0202020202020101010101010800 45000028000040004006f96c0a0000010a000002 11112222000000000000000050020000 00000000'
# test: run --target nfp --prog classifies -O0 --packet '0202020202020101010101010800 45000028000040004006f96c0a0000010a000002 11112222000000000000000050020000 00000000' --packet '0202020202020101010101010800 4500001c000040004011f96c0a0000010a000002 1111003500080000'
# test: run --target nfp
# keep: diagnostics

	.section xdp,"ax",@progbits
	.globl chooses
	.type chooses,@function
chooses:
	r2 = 3
	*(u32 *)(r1 + 16) = r2
	r0 = 3
	exit
	.size chooses, .-chooses

	.section tc,"ax",@progbits
	.globl classifies
	.type classifies,@function
classifies:
	r2 = *(u32 *)(r1 + 0)
	r0 = 2
	if r2 < 50 goto 9f
	r0 = -1
9:
	exit
	.size classifies, .-classifies
	.section license,"aw",@progbits
	.asciz "GPL"
