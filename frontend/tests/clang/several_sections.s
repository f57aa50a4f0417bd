# References between sections, sections of one name, uncommon flags.
 .section a,"ax",@progbits
 call b_fn
 exit
 .section b,"ax",@progbits
b_fn: exit
b2: exit
 call b2
 .section a,"ax",@progbits
 call b2
 r1 = b2 ll
 r1 = b ll
 r1 = a+16 ll
 .text
 r1 = .text ll
 .section .maps,"aw",@progbits
m1: .zero 8
m2: .zero 8
 .text
 r1 = m2 ll
 r1 = m2+4 ll
 .globl m2
 .section .BTF,"",@progbits
 .long m1
 .long m2
 .long .Lq
 .text
.Lq: exit
 .section .foo,"aMS",@progbits,1,unique,1
 .asciz "u1"
 .section .foo,"aMS",@progbits,1,unique,2
 .asciz "u2"
 .section .foo,"aMS",@progbits,1
 .asciz "u3"
 .section z,"awR"
 .byte 1
 .section z2,"e"
 .byte 1
 .section tb,"awT",@nobits
 .zero 3
