# test: build -O2 --disabel gvn
# keep: assemby
# tset: asm
# test: built
r0 = 2
exit
