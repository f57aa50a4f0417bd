# test: dis --lines
# test: dis --lines --names
# test: dis --json
# Source lines as .BTF.ext has them: the last of several at one place, before the next instruction where one stands
# inside a wide one, and not again where a record repeats the one before. Code without records has none.
	.section socket,"ax",@progbits
	.globl classify
	.type classify,@function
classify:
	w0 = 0
.Lload:
	w1 = *(u32 *)(r1 + 0)
.Lcompare:
	if w1 s< 15 goto .Lout
.Lstore:
	r2 = last ll
	*(u32 *)(r2 + 0) = w1
.Lagain:
	w0 = w1
.Lout:
	exit
	.text
plain:
	r0 = 1
	exit
	.bss
	.globl last
last:
	.zero 4

	.section .BTF,"",@progbits
	.short 0xeb9f
	.byte 1, 0
	# Its own length; where types and strings begin behind it, and their lengths.
	.long 24, 0, 0, 0, strings_end - strings
strings:
	.byte 0
section_name:
	.asciz "socket"
file_name:
	.asciz "src/lines.c"
text_3:
	.asciz "int classify(int *skb)"
text_5:
	.asciz "\tint length = *skb;"
text_6:
	.asciz "\tif (length > 14)"
text_7:
	.asciz "\t\treturn last = length;"
text_8:
	.asciz "}"
strings_end:

	.section .BTF.ext,"",@progbits
	.short 0xeb9f
	.byte 1, 0
	# Its own length; where function and line records begin behind it, and their lengths.
	.long 24, 0, 4, 4, lines_end - lines
	.long 8
lines:
	.long 16
	.long section_name - strings, 7
	# Offset, file, text; the line, and in the lower ten bits the column.
	.long 0, file_name - strings, text_3 - strings, 3 << 10
	.long .Lload - classify, file_name - strings, text_5 - strings, 5 << 10 | 15
	.long .Lcompare - classify, file_name - strings, text_5 - strings, 5 << 10 | 6
	.long .Lcompare - classify, file_name - strings, text_6 - strings, 6 << 10 | 6
	.long .Lstore - classify + 8, file_name - strings, text_7 - strings, 7 << 10 | 15
	.long .Lagain - classify, file_name - strings, text_7 - strings, 7 << 10 | 15
	.long .Lout - classify, file_name - strings, text_8 - strings, 8 << 10 | 1
lines_end:
