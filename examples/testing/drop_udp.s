# Drops UDP over IPv4 and lets everything else pass.
#
# What the compiler makes of it, and that it does the same as what is written here:
# test: build -O2
# keep: assembly remarks stats
# test: run --packet packets.pcap
# test: run -O2 --packet packets.pcap
# keep: results steps

	.section	xdp,"ax",@progbits
	.globl	drop_udp
	.type	drop_udp,@function
drop_udp:
	r2 = *(u32 *)(r1 + 0)		# data
	r3 = *(u32 *)(r1 + 4)		# data_end
	r4 = r2
	r4 += 34			# Ethernet and IPv4
	if r4 > r3 goto pass
	r5 = *(u8 *)(r2 + 12)		# type of the payload, byte by byte
	r4 = *(u8 *)(r2 + 13)
	r5 <<= 8
	r5 |= r4
	if r5 != 0x800 goto pass
	r4 = *(u8 *)(r2 + 23)		# protocol
	if r4 != 17 goto pass
	r0 = 1				# XDP_DROP
	exit
pass:
	r0 = 2				# XDP_PASS
	exit
	.size	drop_udp, .-drop_udp

	.section	license,"aw",@progbits
	.asciz	"Dual MIT/GPL"
