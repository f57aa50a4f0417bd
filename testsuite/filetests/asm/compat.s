# test: asm --llvm-compat
# LLVM's reading where it drops bits without a word.
	r1 = 0x1ffffffff
	r1 = 5ll
	call 0x100000005
	ld_pseudo r1, 17, 0x123456789
	r1 = addr_space_cast(r2, 0x10001, 0x20002)
	if r1 == 0xcafefeeddeadbeef goto +1
	exit
