# Maps run where they are placed: in the nearest memory that has room, or where the firmware keeps its arrays.
# test: run --target nfp --map values=third.json --packet '0202020202020101010101010800' --packet 0102
# keep: results maps steps
# test: run --target nfp --map values=third.json --nfp-caps near.json --packet '0202020202020101010101010800' --packet 0102
# keep: results maps steps
# test: run --target nfp --map values=third.json --nfp-caps arrays.json --packet '0202020202020101010101010800' --packet 0102
# keep: results maps steps

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 4)
	r3 = *(u32 *)(r1 + 0)
	r2 -= r3			# the length
	r2 >>= 2
	*(u32 *)(r10 - 4) = r2
	r2 = r10
	r2 += -4
	r1 = values ll
	call 1
	if r0 == 0 goto pass
	r1 = 1
	lock *(u64 *)(r0 + 8) += r1
	r0 = *(u32 *)(r0 + 0)
	if w0 > 3 goto pass
	exit
pass:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl values
	.type values,@object
values:
	.long 2, 4, 16, 4, 0
	.size values, 20
	.section license,"aw",@progbits
	.asciz "GPL"
