# Values: operators, numbers, quoted names, local labels, comments.
 .set a, 1
 r1 = a
 .set a, 2
 r1 = a
 goto a
 r1 = 2*(3+4)
 .byte 1==1, 1!=1, 2>1, 1&&2, 1||0, !5+1, -1>>60, ~0, 7%4, -7/2, 3|4&5, 1+2<<3
 .quad -1>>60
 .byte 'a'-'A', '\n', '\\', '\t'
 "quoted sym": call "quoted sym"
 .globl "q2"
 r1 = "q2" ll
 .long 017, 0b11, 0XfF
 .byte 0
 .byte 0,0,0
l1: l2: l3 : exit
 exit; exit // c
 if r1 == 1 goto l1 # z
 /* multi
 line */ exit
 gotol l3
 may_goto l3
 .p2align 5
 exit
