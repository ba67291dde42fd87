#!/bin/sh
# Compiles one BPF source into one CO-RE object: compile-bpf.sh SOURCE OBJECT
# BPF_CLANG names the compiler; without it the first clang >= 14 of PATH is taken (older ones emit BTF that the
# programs' CO-RE checks need newer). V=1 shows the command.
set -eu

source=$1
object=$2
candidates='clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19 clang-20 clang-21'

new_enough() {
	major=$("$1" -dumpversion 2>/dev/null | cut -d. -f1)
	[ "${major:-0}" -ge 14 ]
}

find_clang() {
	for candidate in ${BPF_CLANG:-$candidates}; do
		if new_enough "$candidate"; then
			echo "$candidate"
			return
		fi
	done
	echo "compile-bpf.sh: no clang >= 14 among: ${BPF_CLANG:-$candidates}; install clang or set BPF_CLANG" >&2
	return 1
}

# <asm/types.h> lives in the architecture's own directory, which -target bpf does not search.
multiarch() {
	${CC:-cc} -print-multiarch 2>/dev/null || uname -m | sed 's/$/-linux-gnu/'
}

clang=$(find_clang)
mkdir -p "$(dirname "$object")"
[ -z "${V:-}" ] || set -x
exec "$clang" -g -O2 -mcpu=v3 -target bpf -Wall -Werror \
	-idirafter "/usr/include/$(multiarch)" -c "$source" -o "$object"
