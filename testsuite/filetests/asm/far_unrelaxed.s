# test: diag
# Branches that do not reach.
near:
	if r1 == 0 goto far
	goto far
	.rept 32767
	r0 = 0
	.endr
far:
	if r1 == 0 goto near
	goto near
	may_goto near
