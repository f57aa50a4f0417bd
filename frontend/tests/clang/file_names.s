# Where file names stand among the symbols.
	.globl g1
a1: exit
	.file "one.c"
a2: exit
	.file "two.c"
a3: exit
	.globl g2
	.file "three.c"
	.section s1,"ax"
a4: exit
	r1 = s1 ll
	.file "four.c"
	.text
	r1 = .text ll
g1: g2: exit
	.file "five.c"
	.comm x,4
a5: exit
