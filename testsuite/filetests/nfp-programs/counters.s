# Maps are there before the program runs, with what a file says, and are shown as the host sees them: words that the program
# adds to lie with their highest byte first on the card, the others do not.
# test: run --map values=counts.json --packet '0202020202020101010101010800 4500001c000040004011f96c0a0000010a000002 1111003500080000' --packet '0202020202020101010101010800 45000028000040004006f96c0a0000010a000002 11112222000000000000000050020000 00000000'
# keep: results maps
# test: run --target nfp --map values=counts.json --packet '0202020202020101010101010800 4500001c000040004011f96c0a0000010a000002 1111003500080000' --packet '0202020202020101010101010800 45000028000040004006f96c0a0000010a000002 11112222000000000000000050020000 00000000'
# keep: results maps profile
# test: run --target nfp --prog missing
# keep: diagnostics
# test: run --target nfp --map values=wide.json
# keep: diagnostics

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = *(u32 *)(r1 + 0)
	r7 = *(u32 *)(r1 + 4)
	r8 = r6
	r8 += 24
	if r8 > r7 goto pass
	r1 = *(u8 *)(r6 + 23)		# the protocol is the key
	*(u32 *)(r10 - 4) = r1
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto pass
	r7 -= r6
	lock *(u64 *)(r0 + 8) += r7	# bytes
	r1 = 0x10000
	lock *(u32 *)(r0 + 4) += r1
	r0 = *(u32 *)(r0 + 0)		# the verdict
	if w0 > 3 goto pass
	exit
pass:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl other
	.type other,@object
other:
	.long 2, 4, 4, 1, 0
	.size other, 20
	.globl values
	.type values,@object
values:
	.long 1, 4, 16, 8, 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
