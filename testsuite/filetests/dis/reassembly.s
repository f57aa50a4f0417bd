# test: dis --asm
# test: dis --asm --endian big
# Names in quotes, two symbols at one place, symbols inside instructions and behind the end, data with relocations,
# local symbols by themselves, bytes that are no instruction, and calls between sections.
	.file "a\"b.c"
	.set fixed, 12
	.section "prog/with space","ax",@progbits
	.globl "odd name"
	.type "odd name",@function
	.size "odd name", 16
"odd name":
same_place:
	r1 = text ll
	r2 = text+4 ll
	r3 = "r1" ll
	call there
	call other
	if r1 s> -5 goto near
	.byte 0xff, 0, 0, 0, 0, 0, 0, 0
near:
	r4 = 0 ll
	.reloc 72, R_BPF_64_64, text
	exit
	.set inside, "odd name"+8
	.text
other:
	r0 = 0
	exit
there:
	gotol other
	r0 = *(u16 *)skb[r2]
	exit
	.byte 1, 2, 3
	.weak far
	.section .rodata,"a",@progbits
	.p2align 3
text:
	.asciz "some text, \"quoted\""
	.zero 40
	.data
	.globl "r1"
	.hidden "r1"
"r1":
	.quad text+4, "r1", far
	.long "r1", text
	.bss
	.zero 24
	.comm shared,16,8
	.section .debug,"MS",@progbits,1
	.asciz "abc"
