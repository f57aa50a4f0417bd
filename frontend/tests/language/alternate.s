# The alternate syntax.
	.data
.altmacro
.macro am a, b
	.ascii "\a a \b&b x&a a&x q&r a.b .a _a"
	.byte b
.endm
am 1, 2
am %1+2*3, <4>
am 1 %(given+1)
.macro text t
	.ascii "t"
.endm
text <a!>b c>
text <x , y>
text "q r"
.noaltmacro
.macro plain a
	.ascii "a \a"
.endm
plain 1
