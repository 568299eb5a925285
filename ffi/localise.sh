#!/bin/sh
# Makes of the archive that Cargo builds the one that is given out: localise.sh FROM TO
#
# A Rust archive shows everything that is in it: SQLite, ring, the standard library. A host with an SQLite of its own could
# not be linked to it. Here all of it is linked into one object, in which only the names that begin with `keyplate_` stay
# visible. Sections remain apart, so the host's `--gc-sections` still works.
# Wants GNU binutils. Apple's linker has `-r -exported_symbol '_keyplate_*'` for the same; nobody has tried it here.
set -eu
from=$1 to=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A name for each line; an object of which no such name is wanted stays out.
nm --defined-only --extern-only "$from" 2>/dev/null | awk '$3 ~ /^keyplate_/ {print "-u", $3}' | sort -u >"$folder/wanted"
[ -s "$folder/wanted" ] || { echo "no keyplate_ in $from" >&2; exit 1; }
# COMDAT groups are dissolved: one whose name has become local must not be dropped for another archive's.
${LD:-ld} -r --gc-sections --force-group-allocation -o "$folder/keyplate.o" "@$folder/wanted" "$from"
# Rust's standard library also carries itself as LLVM's bitcode, which only Rust reads, and at which older tools give up.
${OBJCOPY:-objcopy} --wildcard --keep-global-symbol='keyplate_*' \
    --remove-section=.llvmbc --remove-section=.llvmcmd "$folder/keyplate.o"
rm -f "$to"
${AR:-ar} rcs "$to" "$folder/keyplate.o"
