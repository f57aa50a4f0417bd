# test: diag
# A name that means nothing is one error, with the places that use it, and with the label that is
# spelled nearly the same.
start:
	if r1 == 0 goto finsh
	if r1 == 1 goto finsh
	if r1 == 2 goto finsh
	if r1 == 3 goto finsh
	goto finsh
finish:
	r1 = limit
	r2 = limit
	*(u64 *)(r10 - 8) = limit
	if r1 > limit goto finish
	r3 = limit
	r4 = R5
	r5 = R5
	exit
