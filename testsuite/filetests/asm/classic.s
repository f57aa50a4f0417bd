# test: asm --syntax classic
# One instruction of each mnemonic.
	.text
gnu:
	mov	%r1,5
	mov32	%r1,-5
	mov	%r2,%fp
	add	%r1,%r2
	add32	%r1,%r2
	sub	%r1,1
	sub32	%r1,1
	mul	%r1,2
	mul32	%r1,2
	div	%r1,%r2
	div32	%r1,%r2
	sdiv	%r1,%r2
	sdiv32	%r1,3
	mod	%r1,%r2
	mod32	%r1,%r2
	smod	%r1,%r2
	smod32	%r1,3
	or	%r1,~7
	or32	%r1,(1 + 2) * 4
	and	%r1,0xff
	and32	%r1,0xff
	xor	%r1,%r2
	xor32	%r1,%r2
	lsh	%r1,3
	lsh32	%r1,3
	rsh	%r1,3
	rsh32	%r1,3
	arsh	%r1,3
	arsh32	%r1,3
	neg	%r1
	neg32	%r1
	movs	%r1,%r2,8
	movs	%r1,%r2,16
	movs	%r1,%r2,32
	movs32	%r1,%r2,8
	movs32	%r1,%r2,16
	endbe	%r1,16
	endle	%r1,32
	bswap	%r1,64
	lddw	%r1,0x123456789abcdef0
	lddw	%r1,elsewhere + 8
	ldxb	%r1,[%r2+4]
	ldxh	%r1,[%r2-4]
	ldxw	%r1,[%r2+-4]
	ldxdw	%r1,[%r2]
	ldxsb	%r1,[%r2+4]
	ldxsh	%r1,[%r2+4]
	ldxsw	%r1,[%r2+4]
	stxb	[%r1+4],%r2
	stxh	[%r1+4],%r2
	stxw	[%r1+4],%r2
	stxdw	[%r1+8],%r2
	stb	[%r1+4],1
	sth	[%r1+4],2
	stw	[%r1+4],3
	stdw	[%r1+8],-4
	ldabsb	12
	ldabsh	12
	ldabsw	12
	ldindb	%r2,4
	ldindh	%r2,4
	ldindw	%r2,0
	aadd	[%r1+8],%r2
	aadd32	[%r1+8],%r2
	aor	[%r1+8],%r2
	aor32	[%r1+8],%r2
	aand	[%r1+8],%r2
	aand32	[%r1+8],%r2
	axor	[%r1+8],%r2
	axor32	[%r1+8],%r2
	afadd	[%r1+8],%r2
	afadd32	[%r1+8],%r2
	afor	[%r1+8],%r2
	afor32	[%r1+8],%r2
	afand	[%r1+8],%r2
	afand32	[%r1+8],%r2
	afxor	[%r1+8],%r2
	afxor32	[%r1+8],%r2
	axchg	[%r1+8],%r2
	axchg32	[%r1+8],%r2
	acmp	[%r1+8],%r2
	acmp32	[%r1+8],%r2
	xadddw	[%r1+8],%r2
	xaddw	[%r1+8],%r2
	ja	gnu
	jal	gnu
	jeq	%r1,%r2,gnu
	jne	%r1,5,gnu
	jgt	%r1,5,+3
	jge	%r1,5,-3
	jlt	%r1,5,1f
	jle	%r1,5,1f
1:	jset	%r1,5,1b
	jsgt	%r1,5,1b
	jsge	%r1,5,1b
	jslt	%r1,5,1b
	jsle	%r1,5,1b
	jeq32	%r1,%r2,1b
	jne32	%r1,5,1b
	jgt32	%r1,5,1b
	jge32	%r1,5,1b
	jlt32	%r1,5,1b
	jle32	%r1,5,1b
	jset32	%r1,5,1b
	jsgt32	%r1,5,1b
	jsge32	%r1,5,1b
	jslt32	%r1,5,1b
	jsle32	%r1,5,1b
	call	6
	call	gnu
	call	%r1
	exit

	.section	conformance,"ax",@progbits
suite:
	be16 %r0
	be32 %r0
	be64 %r0
	le16 %r0
	le32 %r0
	le64 %r0
	swap16 %r0
	swap32 %r0
	bswap64 %r0
	movsx832 %r0, %r1
	movsx1632 %r0, %r1
	movsx864 %r0, %r1
	movsx1664 %r0, %r1
	movsx3264 %r0, %r1
	mov32 r0 r1
	stw [r10 - 4], 0x1234
	lock add [%r10-8], %r1
	lock or32 [%r10-8], %r1
	lock and [%r10-8], %r1
	lock xor32 [%r10-8], %r1
	lock xchg [%r10-8], %r1
	lock cmpxchg32 [%r10-8], %r1
	lock fetch add [%r10-8], %r1
	lock fetch or32 [%r10-8], %r1
	lock fetch and [%r10-8], %r1
	lock fetch xor32 [%r10-8], %r1
	ja32 suite
	jeq %r0, 0, exit
	call local suite
	call local -2
	call runtime 7
	exit
	exit

	.section	newer,"ax",@progbits
	ld_pseudo %r1, 1, 0x123456789
	addr_space_cast %r1, %r2, 0, 1
	load_acquireb %r1, [%r2+1]
	load_acquireh %r1, [%r2+2]
	load_acquirew %r1, [%r2+4]
	load_acquiredw %r1, [%r2+8]
	store_releaseb [%r1+1], %r2
	store_releaseh [%r1+2], %r2
	store_releasew [%r1+4], %r2
	store_releasedw [%r1+8], %r2
	may_goto +0
	gotox %r1
	callx %r1
	mov %r0, 0
	exit
