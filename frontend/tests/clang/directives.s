# Directives about symbols and data, each once.
	.text
	.globl f
	.set F, 12
f:	r1 = x ll
	r1 = .Lstr+2 ll
	r1 = .Lstr ll
	r1 = al ll
	r1 = al2+4 ll
	call ext
	call f
	call loc
	call loc+8
	call other
	call .Lo
	call ext+16
	call F
	goto 1f
1:	goto 1b
	r1 = 1b ll
	exit
loc:	exit
	.size f, .-f
	.size loc, 8
	.type f, @function
	.type loc, STT_FUNC
	.section o,"ax"
	exit
other:	exit
.Lo:	exit
	.section .rodata.str1.1,"aMS",@progbits,1
.Lfirst: .asciz "first"
.Lstr:	.asciz "hello"
named:	.asciz "n"
	.data
x:	.long 1
	.set al, x
	.set al2, y+4
y:	.quad x, y, al, al2, named+1, ext2-4
	.long x, y, f, loc, .Lo, .Lstr, ext3, x-y, .Lfirst
	.weak wk
	.hidden hid
	.protected prot
	.quad wk, hid, prot
	.set c1, 42
	.equ c2, c1*2
	.globl c2
	.comm cc, 10, 4
	.comm dd, 3
	.local ee
	.comm ee, 7, 8
	.lcomm ff, 4
	.ident "hello"
	.ident "world"
	.file "a.c"
	.uleb128 300, .Lz-.Ly
	.sleb128 -300
.Ly:	.zero 200
.Lz:	.byte 1
	.p2align 4
	.byte 'a', -1, 255
	.fill 3,2,0x1234
	.fill 2
	.fill 2,8,0x1122334455667788
	.skip 3,7
	.space 2
	.align 8
	.octa 0x112233445566778899aabbccddeeff00
	.section .debug_str
	.asciz "q"
	.section foo,"a",@note
	.long 5
	.section .init_array
	.quad f
	.section bar.baz
	.byte 1
	.bss
bb:	.zero 16
	.rodata
	.long 3
	.file "b.c"
	.pushsection bar.baz
	.byte 2
	.popsection
	.byte 9
	.previous
	.byte 0
	.addrsig
	.addrsig_sym x
	.addrsig_sym .Lstr
	.addrsig_sym unk
