# test: asm
# Macros, with and without a backslash, and repetitions.
.macro check_bounds start, end, size:req, fail=drop
	r0 = \start
	r0 += \size
	if r0 > \end goto \fail
.endm
.macro statement body:vararg
	\body
.endm
.macro unique_label
	goto .Lhere\@
	r0 = 7
.Lhere\@:
.endm
.macro count_down from
	.if \from
	r1 = \from
	count_down \from-1
	.endif
.endm

program:
	check_bounds r2, r3, 14
	check_bounds size=20, start=r4, end=r5, fail=program
	statement *(u64 *)(r10 - 8) = r1
	statement r1 = 5 ; unique_label
	unique_label
	count_down 3
	.rept 2
	r6 += 1
	.endr
	.irp register, r7, r8
	\register = 0
	.endr
	.irpc digit, 12
	r9 += \digit
	.endr
	.irpc letter, "a b"
	.pushsection letters,"",@progbits
	.ascii "[\letter]"
	.popsection
	.endr
drop:
	exit

	.altmacro
.macro pair first, second
	LOCAL over
	goto over
	r\first = second
over:
.endm
	pair 1, %2 + 3
	pair 2, <6 + 1>
	exit
