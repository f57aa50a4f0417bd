# test: diag --syntax classic
# What is wrong is said in terms of the mnemonic.
	mvo %r1, %r2
	jeqq %r1, 5, l
	mov %r1
	mov
	mov 5, %r1
	mov %r1, %r2, %r3
	mov %r1, [%r2+4]
	mov %w1, 5
	mov w1, 5
	mov %r12, 5
	mov %r1,, 5
	mov %r1, 5,
	mov , 5
	mov %r1, @x
	mov %r1, )
	%r1 = 5
	r1 = 5
	if r1 == 5 goto l
	*(u32 *)(r1 + 4) = r2
	lock *(u64 *)(r1 + 0) += r2
	lock
	lock sub [%r1], %r2
	lock fetch sub [%r1], %r2
	neg %r1, 1
	endbe %r1, 8
	movs %r1, %r2, 64
	movs32 %r1, %r2, 32
	ldxw [%r2+4], %r1
	ldxw %r1, %r2
	ldxw %r1, [%r2+4
	ldxw %r1, [4+%r2]
	ldxw %r1, [%r2 4]
	ldxw %r1, [%r2+40000]
	ldxw %r1, [%r2+unknown]
	ldxsdw %r1, [%r2]
	ldabsdw 4
	stw [%r1], %r2
	stxw [%r1], 5
	stxw %r2, [%r1]
	mov %r1, 0x100000000
	ja %r1
	ja 40000
	ja exit
	call runtime label
	exit 0
	xyzzy
	foo %r1
	addi %r1, 5
