# test: check --target nfp
# Types and sizes of maps.

	.section xdp,"ax",@progbits
	.globl f
	.type f,@function
f:
	*(u64 *)(r10 - 8) = 0
	*(u64 *)(r10 - 16) = 0
	*(u64 *)(r10 - 24) = 0
	*(u64 *)(r10 - 32) = 0
	*(u64 *)(r10 - 40) = 0
	*(u64 *)(r10 - 48) = 0
	*(u64 *)(r10 - 56) = 0
	*(u64 *)(r10 - 64) = 0
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = typed ll
	call 1
	if r0 == 0 goto 9f
	
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -64
	r1 = long_keys ll
	call 1
	if r0 == 0 goto 9f
	
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -4
	r1 = long_values ll
	call 1
	if r0 == 0 goto 9f
	
	r6 = 0
	*(u32 *)(r10 - 4) = r6
	r2 = r10
	r2 += -40
	r1 = long_elements ll
	call 1
	if r0 == 0 goto 9f
9:
	r0 = 2
	exit
	.size f, .-f

	.section maps,"aw",@progbits
	.globl typed
	.type typed,@object
typed:
	.long 5, 4, 8, 8, 0
	.size typed, 20
	.globl long_keys
	.type long_keys,@object
long_keys:
	.long 1, 64, 8, 8, 0
	.size long_keys, 20
	.globl long_values
	.type long_values,@object
long_values:
	.long 1, 4, 64, 8, 0
	.size long_values, 20
	.globl long_elements
	.type long_elements,@object
long_elements:
	.long 1, 40, 40, 8, 0
	.size long_elements, 20
	.section license,"aw",@progbits
	.asciz "GPL"
