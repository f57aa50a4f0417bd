#!/bin/sh
# Compiles bad.c and good.c of every case. The objects have BTF and no DWARF.
set -eu
cd "$(dirname "$0")"
CLANG=${CLANG:-clang-19}
STRIP=${STRIP:-llvm-strip-19}
INCLUDE=${INCLUDE:-/usr/include}	# has bpf/bpf_helpers.h
LINUX=${LINUX:-/usr/include/$(uname -m)-linux-gnu}

for source in */bad.c */good.c; do
	folder=$(dirname "$source")
	name=$(basename "$source" .c)
	(
		cd "$folder"
		# The mistakes that clang warns of are meant.
		"$CLANG" -target bpf -O2 -g -w -fno-ident -fdebug-compilation-dir=. -I"$INCLUDE" -I"$LINUX" \
			-c "$name.c" -o "$name.o"
		"$STRIP" -g "$name.o"
	)
done
