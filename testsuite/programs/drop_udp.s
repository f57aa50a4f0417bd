# Drops UDP over IPv4 to ports below 1024 and lets everything else pass.
# Written the way a person writes it: with a spill, a copy, a shift pair and byte loads that a compiler can do better.

	.section	xdp,"ax",@progbits
	.globl	drop_udp
	.type	drop_udp,@function
drop_udp:
	r6 = r1
	r2 = *(u32 *)(r6 + 0)		# data
	r3 = *(u32 *)(r6 + 4)		# data_end
	*(u64 *)(r10 - 8) = r2
	r4 = r2
	r4 += 42			# Ethernet, IPv4 and UDP
	if r4 > r3 goto pass

	r5 = *(u8 *)(r2 + 12)		# type of the payload, byte by byte
	r4 = *(u8 *)(r2 + 13)
	r5 <<= 8
	r5 |= r4
	if r5 != 0x800 goto pass

	r1 = *(u64 *)(r10 - 8)
	r4 = *(u8 *)(r1 + 14)
	r4 &= 15
	if r4 != 5 goto pass		# no options
	r4 = *(u8 *)(r1 + 23)
	if r4 != 17 goto pass

	r4 = *(u16 *)(r1 + 36)		# destination port
	r4 = be16 r4
	r4 <<= 32
	r4 >>= 32
	r5 = 1024 ll
	r0 = 1				# XDP_DROP
	if r4 < r5 goto done
pass:
	r0 = 2				# XDP_PASS
done:
	exit
	.size	drop_udp, .-drop_udp

	.section	license,"aw",@progbits
	.asciz	"Dual MIT/GPL"
