# Comments and names where llvm-mc takes them.
	.text
"a b": r0 = 1 /* one */ ; r1 /* two */ = 2
"call": call "a b" // three
	goto "a b"
	r1 = "a b" ll
	.quad "a b" - "call", "a b"
	.set "x y", 5
	r1 = "x y"
