# There is no metadata when a packet arrives: it begins where the packet does, and no access to it is ever reached.
# test: build --target nfp --nfp-caps host-goes-on.json
# keep: assembly stats
# test: run --target nfp --nfp-caps host-goes-on.json --packet '0102030405060708090a0b0c0d0e0f101112'

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 8)
	r3 = *(u32 *)(r1 + 0)
	r4 = r2
	r4 += 4
	if r4 > r3 goto none
	r0 = *(u32 *)(r2 + 0)
	exit
none:
	r0 = 1
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
