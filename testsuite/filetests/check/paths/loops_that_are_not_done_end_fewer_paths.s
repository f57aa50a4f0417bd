# test: check
# Loops that are not done end fewer paths.

	.section kprobe/x,"ax",@progbits
	.globl accepted_1
	.type accepted_1,@function
accepted_1:
	r9 = r1
	r7 = 0
	r8 = 0
1:
	goto +0
	goto +0
	call f_1
	r8 += 1
	if w8 < 1 goto 1b
	r0 = 0
	exit
	.section .text,"ax",@progbits
	.type f_1,@function
f_1:
	call 5
	r9 = r0
	if w9 > 10 goto 2f
	w9 = w9
	r9 ^= 1
2:
	may_goto 3f
	*(u64 *)(r10 - 88) = r9
	goto 2b
3:
	exit
	.size f_1, .-f_1
	.section kprobe/x,"ax",@progbits
	.size accepted_1, .-accepted_1

	.section kprobe/x,"ax",@progbits
	.globl accepted_2
	.type accepted_2,@function
accepted_2:
	r9 = r1
	r7 = 0
	r8 = 0
1:
	goto +0
	goto +0
	call f_2
	r8 += 1
	if w8 < 2 goto 1b
	r0 = 0
	exit
	.section .text,"ax",@progbits
	.type f_2,@function
f_2:
	call 5
	r9 = r0
	if w9 > 10 goto 2f
	w9 = w9
	r9 ^= 1
2:
	may_goto 3f
	*(u64 *)(r10 - 88) = r9
	goto 2b
3:
	exit
	.size f_2, .-f_2
	.section kprobe/x,"ax",@progbits
	.size accepted_2, .-accepted_2

	.section kprobe/x,"ax",@progbits
	.globl accepted_3
	.type accepted_3,@function
accepted_3:
	r9 = r1
	r7 = 0
	r8 = 0
1:
	goto +0
	goto +0
	call f_3
	r8 += 1
	if w8 < 3 goto 1b
	r0 = 0
	exit
	.section .text,"ax",@progbits
	.type f_3,@function
f_3:
	call 5
	r9 = r0
	if w9 > 10 goto 2f
	w9 = w9
	r9 ^= 1
2:
	may_goto 3f
	*(u64 *)(r10 - 88) = r9
	goto 2b
3:
	exit
	.size f_3, .-f_3
	.section kprobe/x,"ax",@progbits
	.size accepted_3, .-accepted_3

	.section kprobe/x,"ax",@progbits
	.globl accepted_4
	.type accepted_4,@function
accepted_4:
	r9 = r1
	r7 = 0
	r8 = 0
1:
	goto +0
	goto +0
	call f_4
	r8 += 1
	if w8 < 4 goto 1b
	r0 = 0
	exit
	.section .text,"ax",@progbits
	.type f_4,@function
f_4:
	call 5
	r9 = r0
	if w9 > 10 goto 2f
	w9 = w9
	r9 ^= 1
2:
	may_goto 3f
	*(u64 *)(r10 - 88) = r9
	goto 2b
3:
	exit
	.size f_4, .-f_4
	.section kprobe/x,"ax",@progbits
	.size accepted_4, .-accepted_4

	.section kprobe/x,"ax",@progbits
	.globl accepted_5
	.type accepted_5,@function
accepted_5:
	r9 = r1
	r7 = 0
	r8 = 0
1:
	goto +0
	goto +0
	call f_5
	r8 += 1
	if w8 < 5 goto 1b
	r0 = 0
	exit
	.section .text,"ax",@progbits
	.type f_5,@function
f_5:
	call 5
	r9 = r0
	if w9 > 10 goto 2f
	w9 = w9
	r9 ^= 1
2:
	may_goto 3f
	*(u64 *)(r10 - 88) = r9
	goto 2b
3:
	exit
	.size f_5, .-f_5
	.section kprobe/x,"ax",@progbits
	.size accepted_5, .-accepted_5

	.section license,"aw",@progbits
	.asciz "GPL"
