# test: check
# Results are in range where they are limited.

	.section cgroup_skb/egress,"ax",@progbits
	.globl refused_1
	.type refused_1,@function
refused_1:
	r0 = 4
	exit
	.size refused_1, .-refused_1

	.section cgroup_skb/egress,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	r0 = 3
	exit
	.size accepted_2, .-accepted_2

	.section xdp,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	r0 = 77
	exit
	.size accepted_3, .-accepted_3

	.section license,"aw",@progbits
	.asciz "GPL"
