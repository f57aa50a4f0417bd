# Conditionals.
	.data
.set k, 5
.ifdef k
	.byte 1
.else
	.byte 2
.endif
.ifnotdef k
	.byte 3
.elseif 1
	.byte 4
.elseif 1
	.byte 5
.else
	.byte 6
.endif
.ifb
	.byte 7
.endif
.ifb  /* */
	.byte 8
.endif
.ifnb x
	.byte 9
.endif
.ifc a b, a b
	.byte 10
.endif
.ifc  "a" ,a
	.byte 11
.endif
.ifnc a , b
	.byte 12
.endif
.ifeqs "a","a"
	.byte 13
.endif
.ifnes "a","a"
	.byte 14
.endif
.ifeq 0
	.byte 15
.endif
.ifgt 1
	.byte 16
.endif
.ifge 0
	.byte 17
.endif
.iflt -1
	.byte 18
.endif
.ifle 0
	.byte 19
.endif
.ifne 1; .byte 20; .endif
.if 0
	this is no statement at all \x
	.if 1
	.else
	.endif
	.ifc a,
	.endif
.elseif k == 5
	.byte 21
.elseif nonsense +
.endif
.ifdef l1
	.byte 22
.endif
l1:
.ifdef l1
	.byte 23
.endif
.ifndef l2
	.byte 24
.endif
.if given == 5
	.byte given
.endif
.if 1
.if 0
.else
	.byte 25
.endif
.else
	.byte 26
.endif
.macro choose what
.ifc \what,one
	.byte 1
.else
.ifc \what,two
	.byte 2
.else
	.byte 3
.endif
.endif
.endm
choose one
choose two
choose three
