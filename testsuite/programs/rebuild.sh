#!/bin/sh
# Compiles every program here, for instruction sets v1 and v3, with BTF and without DWARF.
set -eu
cd "$(dirname "$0")"
CLANG=${CLANG:-clang-19}
STRIP=${STRIP:-llvm-strip-19}
LLVM_MC=${LLVM_MC:-llvm-mc-19}

mkdir -p v1 v3 assembly
for source in *.c; do
	name=${source%.c}
	for cpu in v1 v3; do
		"$CLANG" -target bpf -mcpu=$cpu -O2 -g -Wall -Wextra -Wno-unused-parameter -fdebug-prefix-map="$PWD"=. \
			-ffile-prefix-map="$PWD"=. -fno-ident -Iinclude -c "$source" -o "$cpu/$name.o"
		"$STRIP" -g "$cpu/$name.o"
	done
done
for source in *.s; do
	"$LLVM_MC" -triple bpfel -filetype=obj "$source" -o "assembly/${source%.s}.o"
done
