#!/bin/sh
# asm_offsets.s -> C header: each marker line of the compiler's output becomes a #define.
set -eu
echo "/* Generated from arch/asm_offsets.c. */"
sed -n 's/^[^>]*->ostler \([A-Za-z0-9_]*\) \$*\(-*[0-9]*\).*$/#define \1 \2/p' "$1"
