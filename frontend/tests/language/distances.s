# Arithmetic on distances that are known only at the end, as in clang's inline assembly for `may_goto`.
	.text
f:
	if r1 == 0 goto out
.Ltmp0:
	.byte	229
	.byte	0
	.long	(((out-.Ltmp0)-8)/8)&65535
	.short	0
	.byte	229
	.byte	0
	.long	((((out-.Ltmp0)-8)/8)&65535) << 2
	.short	0
	r0 = 1
out:
	exit
	.data
	.quad	(out - f) * 3 + (end - start) % 5
	.uleb128 (end - start) * 100
	.sleb128 -((end - start) * 100)
start:
	.long 1
end:
	.byte (end - start) == 4, !(end - start), ~(end-start)
