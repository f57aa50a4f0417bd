# test: asm
# Subsections, groups of sections, sections that go with another, weak names, relocations by name.
	.text 1
	r0 = 1
	.text
	r0 = 0
	.subsection 2
	r0 = 2
	.previous
	goto last
	.section tc,"axG",@progbits,signature,comdat
entry:
	r1 = outside ll
	exit
	.section names,"aG",@progbits,signature,comdat
	.quad entry
	.section more,"a?",@progbits
	.byte 1
	.section beside,"ao",@progbits,entry
	.byte 2
	.text 2
last:
	exit
	.weakref alias, target
	call alias
	.reloc .-8, R_BPF_NONE, entry
