# Words that drop UDP over IPv4, from text and from ELF: a packet of UDP, one of TCP, a short one.
# (The program below is not what runs: a test needs one.)
# test: run --target nfp --words drop_udp.words --packet '0202020202020101010101010800 4500001c000040004011f96c0a0000010a000002 1111222200080000' --packet '0202020202020101010101010800 45000028000040004006f96c0a0000010a000002 11112222000000000000000050020000 00000000' --packet 0102
# keep: results steps
# test: run --target nfp --words drop_udp.nfp --packet '0202020202020101010101010800 4500001c000040004011f96c0a0000010a000002 1111222200080000' --packet '0202020202020101010101010800 45000028000040004006f96c0a0000010a000002 11112222000000000000000050020000 00000000' --packet 0102
# keep: results

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r0 = 2
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
