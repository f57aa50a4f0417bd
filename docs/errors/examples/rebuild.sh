#!/bin/sh
# Compiles the C of every page: NAME.bad.o from its example, NAME.good.o from its repair. The objects have BTF and no DWARF.
set -eu
cd "$(dirname "$0")"
CLANG=${CLANG:-clang-19}
STRIP=${STRIP:-llvm-strip-19}
INCLUDE=${INCLUDE:-/usr/include}	# has bpf/bpf_helpers.h
LINUX=${LINUX:-/usr/include/$(uname -m)-linux-gnu}

for page in $(grep -l '^```c$' ../*.md); do
	name=$(basename "$page" .md)
	for which in bad good; do
		awk -v wanted="$which" '
			/^## Example$/ { part = "bad" }
			/^## Repair$/ { part = "good" }
			/^```$/ { inside = 0 }
			inside && part == wanted { print }
			/^```c$/ { inside = 1 }
		' "$page" | "$CLANG" -target bpf -O2 -g -Wall -Wno-unused-parameter -Wno-missing-noreturn -fno-ident \
			-fdebug-compilation-dir=. -I"$INCLUDE" -I"$LINUX" -x c -c - -o "$name.$which.o"
		"$STRIP" -g "$name.$which.o"
	done
done
