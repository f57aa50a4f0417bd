# test: build
r0 = 2
r12 = 1
exit
