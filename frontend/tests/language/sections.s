# Subsections, groups, linked sections, weak names.
.globl e
.weakref wa, wb
.weakref wc, wd
.section tc,"axG",@progbits,sig,comdat
f: r0 = 1
r1 = x ll
r1 = wa ll
call wa
exit
.section tc2,"axG",@progbits,sig,comdat
exit
.section tc3,"aG",@progbits,loc
.byte 1
.section tc4,"aG",@progbits,f,comdat
loc: .byte 2
.section more,"a?",@progbits
.byte 3
.text
.section more2,"a?",@progbits
.byte 3
.section lo,"ao",@progbits,f
.quad f
.section lo2,"ao",@progbits,.text
.section lo3,"ao",@progbits,0
.section lo4,"aoG",@progbits,f,gg,comdat
.section tc,"axG",@progbits,other,comdat
.section tc5,"aMG",@progbits,4,sig,comdat
.section tc5,"aMG",@progbits,4,sig,comdat,unique,3
.byte 9
.section tc,"axG",@progbits,sig,comdat
r2 = wb ll
.text 2
r0 = 2
.text
r0 = 0
.text 1
r0 = 1
.subsection 0
r0 = 4
l: goto m
.data 1
.byte 1
.data
.byte 2
.previous
r0 = 3
.pushsection .data
.subsection 5
.byte 5
.popsection
r0 = 5
.text 2
m: exit
.data 1
.uleb128 b-a
a: .byte 7
.p2align 2
b: .byte 8
.long b - a
.section .rodata
.subsection 3
.byte 3
.section .rodata
.byte 0
.subsection
.byte 1
.bss 1
.zero 3
.bss
.zero 5
.tbss
.tdata
.data.rel
.data.rel.ro
.eh_frame
