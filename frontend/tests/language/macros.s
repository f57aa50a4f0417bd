# Macros: parameters, defaults, keywords, nesting, recursion.
	.text
.macro load dst, value=7, rest:vararg
	\dst = \value
	.pushsection .notes,"",@progbits
	.ascii "\dst|\value|\rest|\@|\()x\dst\()y|"
	.popsection
.endm
load r1
load r2, 2, 3 , 4 5
load value=3, dst=r4
load "r5", 3*(1 + 2) - 3
load r6, 1 + 2, 3 -4
load r7 2 3
load r8,,3
.macro needs a:req, b
	r0 = \a ; r1 = 0\b
.endm
needs a=1 b=2
needs 1 b=2
 needs /* c */ 3 , /* d */ 4 # e
needs 5,
.macro count n
	.if \n
	r0 = \n
	count \n-1
	.endif
.endm
count 5
.macro leave early
	.if \early
	r0 = 1
	.exitm
	.endif
	r0 = 2
.endm
leave 1
leave 0
.macro outer x
	.macro inner y
	r\x = \y
	.endm
	inner 5
.endm
outer 4
inner 6
.purgem inner
outer 3
.purgem load
.macro load a
	r\a = 1
.endm
load 9
.macro label name, body:vararg
\name\()_start:
	\body
\name\()_end:
.endm
label f, exit
label g, if r1 != 5 goto f_start ; exit
.macro unique
	goto .Lunique\@
	r0 = 0
.Lunique\@:
.endm
unique
unique
.macro none
.endm
none
none; exit
	.macro exit2
	exit
	.endmacro
exit2
.macro s x
	.ascii "\x"
.endm
	.data
s 'x'
s ';'
s "a;b"
s x:y
s {a}
s !1 ~2
.macro d a=1 b="q r" c=(1 , 2)
	.ascii "\a|\b|\c"
.endm
d
d c=3
d ,2
