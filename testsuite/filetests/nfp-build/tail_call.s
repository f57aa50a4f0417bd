# A tail call ends the program: the packet goes on to the host as it is by then, and what stands behind the call is not there.
# test: build --target nfp --nfp-caps host-goes-on.json
# keep: assembly stats
# test: run --target nfp --nfp-caps host-goes-on.json --packet '0102030405060708090a0b0c0d0e0f101112' --packet 00

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r6 = r1
	r2 = *(u32 *)(r1 + 0)
	r3 = *(u32 *)(r1 + 4)
	r4 = r2
	r4 += 14
	if r4 > r3 goto pass
	r5 = 9
	*(u8 *)(r2 + 0) = r5
	r1 = r6
	r2 = programs ll
	r3 = 0
	call 12
	r0 = 0			# if there is no such program, on the host
	exit
pass:
	r0 = 1
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl programs
	.type programs,@object
programs:
	.long 3, 4, 4, 4, 0
	.size programs, 20
	.section license,"aw",@progbits
	.asciz "GPL"
