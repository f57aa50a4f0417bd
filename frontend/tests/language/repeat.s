# Repetitions.
	.text
.rept 3
	r0 = 1
	.rept 2 ; r1 += 1 ; .endr
.endr
.rep 2
	exit
.endr
.rept 0
	garbage \x
.endr
	.data
.irp v, 1, 2 + 3, "4", 5 6
	.byte \v
	.irp w, 7, 8
	.short \v, \w
	.endr
.endr
.irp v,
	.byte 99
.endr
.irpc c, abc
	.ascii "\c\()\@"
.endr
.set k, 0
.rept 5
	.byte k
	.set k, k + 1
.endr
.rept 3
	.byte 9
	.if k > 4
	.exitm
	.endif
	.byte 8
.endr
.macro table n
	.set i, 0
	.rept \n
	.quad 1 << i
	.set i, i + 1
	.endr
.endm
table 9
