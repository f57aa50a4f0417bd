# Symbols set to other symbols, undefined symbols, sections known by name.
	.text
	r1 = undef ll
	.size undef, 4
	.type undef2,@object
	.globl undef3
	.weak undef4
	.local undef5
	.hidden hid5
	.set al, undef6
	.set al2, undef+4
	.set al3, lab
	.set al4, lab+8
	.globl al4
	.type lab,@function
	.size lab, 16
lab:	exit
	.type al3, @object
	exit
	.quad al3, al4
	.quad lab-8
	.quad 1f
	.p2align 3,0
1:	r1 = 1b+8 ll
	goto al3
	call al3
	.section .debug_x,"",@progbits
	.long .Lq-1f, .Lq-.
.Lq: 
	.uleb128 .Lq-.Lq, .Le-.Lq
1:	.byte 0
	.p2align 4
.Le:	.quad .Le
	.long .Le, lab, .Ltext
	.text
.Ltext: exit
	.section .eh_frame
	.byte 1
	.section .note.x
	.byte 1
	.section .tdata
	.byte 1
	.section .tbss.x
	.zero 1
	.section .fini_array
	.section .debug_str_x
	.section .debug_strx
	.section .rodatax
	.section .text.foo
	.section .text1
	.section .bss.q
	.section .data.rel.ro
	.section .data1
	.section .comment
	.section .init
	.section .data.q,"aw"
	.section .note.GNU-stack,"",@progbits
