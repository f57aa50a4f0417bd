# A verdict of TC that is not known comes out of a table of two words; beyond it the packet passes.
# test: build --target nfp --nfp-caps accepts.json
# keep: assembly stats

	.section tc,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 76)
	r3 = *(u32 *)(r1 + 80)
	r4 = r2
	r4 += 14
	r0 = 2
	if r4 > r3 goto out
	r0 = *(u8 *)(r2 + 0)
out:
	exit
	.size f, .-f
	.section license,"aw",@progbits
	.asciz "GPL"
