# The block that stands in the middle goes last, so that what jumps to it runs on into it. Each function
# can be told apart.
#
# test: build -O2
# keep: assembly stats remarks
# test: build -O2 --disable layout
# keep: assembly stats
# test: build -O2 --disable layout@g
# keep: stats
	.section socket/f,"ax",@progbits
	.globl f
	.type f,@function
f:
	r2 = *(u32 *)(r1 + 0)
	r0 = 1
	goto middle_f
end_f:
	r0 += 7
	exit
middle_f:
	if r2 == 5 goto end_f
	r0 = *(u32 *)(r1 + 4)
	goto end_f
	.size f, .-f
	.section socket/g,"ax",@progbits
	.globl g
	.type g,@function
g:
	r2 = *(u32 *)(r1 + 0)
	r0 = 1
	goto middle_g
end_g:
	r0 += 7
	exit
middle_g:
	if r2 == 6 goto end_g
	r0 = *(u32 *)(r1 + 4)
	goto end_g
	.size g, .-g
