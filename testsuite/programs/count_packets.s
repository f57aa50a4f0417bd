# Counts packets by their Ethernet type's two low bits in a map, which is described by BTF written out by hand.

	.section	xdp,"ax",@progbits
	.globl	count_packets
	.type	count_packets,@function
count_packets:
	r6 = *(u32 *)(r1 + 0)
	r7 = *(u32 *)(r1 + 4)
	r8 = r6
	r8 += 14
	if r8 > r7 goto .Lshort
	r1 = *(u16 *)(r6 + 12)
	r1 = be16 r1
	r1 &= 3
	*(u32 *)(r10 - 4) = r1
	r2 = r10
	r2 += -4
	r1 = counters ll
	call 1
	if r0 == 0 goto .Lpass
	r1 = 1
	lock *(u64 *)(r0 + 0) += r1
	r7 -= r6
	lock *(u64 *)(r0 + 8) += r7
.Lpass:
	r0 = 2
	exit
.Lshort:
	r0 = 1
	exit
	.size	count_packets, .-count_packets

	.section	.maps,"aw",@progbits
	.p2align	3
	.globl	counters
	.type	counters,@object
counters:
	.zero	32
	.size	counters, 32

	.section	license,"aw",@progbits
	.asciz	"Dual MIT/GPL"

	.section	.BTF,"",@progbits
	.short	0xeb9f
	.byte	1				# version
	.byte	0				# flags
	.long	24				# length of the header
	.long	0
	.long	.Ltypes_end-.Ltypes
	.long	.Ltypes_end-.Ltypes
	.long	.Lstrings_end-.Lstrings
.Ltypes:
	.long	.Lname_int-.Lstrings		# 1: int
	.long	0x01000000
	.long	4
	.long	0x01000020
	.long	.Lname_u64-.Lstrings		# 2: u64
	.long	0x01000000
	.long	8
	.long	0x00000040
	.long	0				# 3: int[2], the map's kind: an array
	.long	0x03000000
	.long	0
	.long	1, 1, 2
	.long	0				# 4: int (*)[2]
	.long	0x02000000
	.long	3
	.long	0				# 5: int[4], its number of entries
	.long	0x03000000
	.long	0
	.long	1, 1, 4
	.long	0				# 6: int (*)[4]
	.long	0x02000000
	.long	5
	.long	0				# 7: int *
	.long	0x02000000
	.long	1
	.long	.Lname_count-.Lstrings		# 8: struct count { u64 packets, bytes; }
	.long	0x04000002
	.long	16
	.long	.Lname_packets-.Lstrings, 2, 0
	.long	.Lname_bytes-.Lstrings, 2, 64
	.long	0				# 9: struct count *
	.long	0x02000000
	.long	8
	.long	0				# 10: the map
	.long	0x04000004
	.long	32
	.long	.Lname_type-.Lstrings, 4, 0
	.long	.Lname_max_entries-.Lstrings, 6, 64
	.long	.Lname_key-.Lstrings, 7, 128
	.long	.Lname_value-.Lstrings, 9, 192
	.long	.Lname_counters-.Lstrings	# 11: the variable
	.long	0x0e000000
	.long	10
	.long	1
	.long	.Lname_maps-.Lstrings		# 12: the section
	.long	0x0f000001
	.long	32
	.long	11, 0, 32
.Ltypes_end:
.Lstrings:
	.byte	0
.Lname_int:
	.asciz	"int"
.Lname_u64:
	.asciz	"u64"
.Lname_count:
	.asciz	"count"
.Lname_packets:
	.asciz	"packets"
.Lname_bytes:
	.asciz	"bytes"
.Lname_type:
	.asciz	"type"
.Lname_max_entries:
	.asciz	"max_entries"
.Lname_key:
	.asciz	"key"
.Lname_value:
	.asciz	"value"
.Lname_counters:
	.asciz	"counters"
.Lname_maps:
	.asciz	".maps"
.Lstrings_end:
