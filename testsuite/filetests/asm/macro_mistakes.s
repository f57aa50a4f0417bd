# test: diag
# What can be wrong with macros, and how deep it is said.
.macro bad value
	r1 = \value
.endm
	bad r12
	bad (5)
.macro outer x
	bad \x
.endm
	outer 0x1_0
.macro needs a:req, b
	r0 = \a
.endm
	needs
	needs 1, 2, 3
	needs c=1
	needs a=1, 2
	needs r1 = 5
	needs (1
.macro twice a, a
.endm
.macro needs
.endm
.macro tail rest:vararg, more
.endm
.macro kind a:optional
.endm
.macro
.endm
	.purgem nothing
	.exitm
	.endm
	.endr
.macro forever
	forever
.endm
	.macro never_ended
	exit
