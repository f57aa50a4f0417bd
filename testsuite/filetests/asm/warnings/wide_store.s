# test: asm
# keep: diagnostics
	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	*(u8 *)(r10 - 1) = 256
	*(u8 *)(r10 - 1) = -129
	*(u16 *)(r10 - 2) = 0x12345
	*(u16 *)(r10 - 2) = -32769
# The same bits as signed and as unsigned numbers.
	*(u8 *)(r10 - 1) = 255
	*(u8 *)(r10 - 1) = -128
	*(u16 *)(r10 - 2) = 65535
	*(u16 *)(r10 - 2) = -32768
	*(u32 *)(r10 - 4) = 0xffffffff
	*(u64 *)(r10 - 8) = -1
	r0 = 0
	exit
	.size f, .-f
