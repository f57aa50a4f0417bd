# test: asm
# Labels may be called like the words of the language, and anything in quotes.
s:	r1 = s ll
u8:	goto u8
ll:	r1 = ll ll
skb:	if r1 == 0 goto skb
goto:	goto goto
gotol:	gotol gotol
be16:	call be16
"two words":
	goto "two words"
	r1 = "two words" + 8 ll
	.set skb32, 5
	.set xchg_64, 6
	r1 = xchg_64
	if r1 s> xchg_64 goto skb
	r1 = r2 /* a comment */ ; /* and */ r1 /* another */ += /* one */ 5 // and a last
	exit
