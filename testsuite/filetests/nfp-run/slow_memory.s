# The capability file says how long memory takes, and where programs lie: at another address, these
# words branch to where nothing is.
# test: run --target nfp --nfp-caps slow.json --words drop_udp.words --packet '0202020202020101010101010800 4500001c000040004011f96c0a0000010a000002 1111222200080000'
# keep: results steps
# test: run --target nfp --nfp-caps elsewhere.json --words drop_udp.words --packet 0102
# keep: diagnostics

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
