#!/bin/sh
# Makes the object of the C beside it, with line information and without DWARF.
set -eu
cd "$(dirname "$0")"
CLANG=${CLANG:-clang-19}
STRIP=${STRIP:-llvm-strip-19}

"$CLANG" -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter -Wno-unused-variable -fno-ident \
	-fdebug-prefix-map="$PWD"=. -ffile-prefix-map="$PWD"=. -I../../programs/include -c missed.c -o missed.o
"$STRIP" -g missed.o
