#!/bin/sh
# The compiled ACPI tables: they disassemble, and an interpreter loads them and evaluates what an
# operating system evaluates first. The interpreter's memory is all zeros, so the machine has no
# processors, no serial ports and no HPET there.
set -u
dir=hvmloader
work=tests/unit/test_fw_aml.tmp

fail() {
	echo "test_fw_aml: $*" >&2
	exit 1
}

for program in iasl acpiexec; do
	if ! command -v $program >/dev/null; then
		echo "test_fw_aml: skipped, no $program"
		exit 77
	fi
done
rm -rf "$work" && mkdir -p "$work" || exit 1
cp "$dir"/*.aml "$work" || exit 1

for table in dsdt ssdt_s3 ssdt_s4; do
	iasl -d "$work/$table.aml" >"$work/log" 2>&1 || fail "$table.aml does not disassemble"
	! grep -qi 'error\|invalid\|incorrect checksum' "$work/log" || fail "$table.aml: $(cat "$work/log")"
	# The disassembly must be a program again.
	iasl -vs -vi -vw 3168 -p "$work/again" "$work/$table.dsl" >"$work/log" 2>&1 ||
		fail "$table.dsl does not compile"
done

# evaluate OBJECT PATTERN: the result of evaluating OBJECT contains the pattern.
evaluate() {
	acpiexec -b "evaluate $1" "$work/dsdt.aml" "$work/ssdt_s3.aml" "$work/ssdt_s4.aml" </dev/null >"$work/log" 2>&1
	! grep -q 'ACPI Error\|ACPI BIOS Error\|AE_' "$work/log" || fail "$1: $(grep 'Error\|AE_' "$work/log")"
	tr -s '\n ' '  ' <"$work/log" | grep -q "$2" || fail "$1 gives $(cat "$work/log")"
}

evaluate '\_S5' 'Package.*Contains 4 Elements'
evaluate '\_S3' 'Integer.*0000000000000001'
evaluate '\_SB.PCI0._HID' '00000000030AD041'
evaluate '\_SB.PR00._STA' 'Integer.*0000000000000000'
evaluate '\_SB.PCI0.ISA.UAR1._STA' 'Integer.*0000000000000000'
evaluate '\_SB.PCI0._CRS' 'Buffer'
evaluate '\_SB.LNKA._CRS' 'Buffer'
evaluate '\_SB.LNKA._STA' '000000000000000B'
evaluate '\_SB.PRSC' 'returned'
evaluate '\_GPE._E01' 'returned'

# number N: as the disassembler writes it.
number() {
	case $1 in
	0) echo Zero ;;
	1) echo One ;;
	*) printf '0x%02X\n' "$1" ;;
	esac
}

# Interrupt routing: all slots, both modes, against the rule written out once more.
{
	for mode in pic apic; do
		for dev in $(seq 1 31); do
			for pin in 0 1 2 3; do
				if [ $mode = pic ]; then
					route="LNK$(echo ABCD | cut -c $(((dev + pin) % 4 + 1))), Zero"
				else
					route="Zero, $(number $((16 + (dev * 4 + dev / 8 + pin) % 32)))"
				fi
				printf 'Package (0x04) { 0x%04XFFFF, %s, %s }\n' "$dev" "$(number $pin)" "$route"
			done
		done
	done
} >"$work/want"
tr -s '\n ' '  ' <"$work/dsdt.dsl" | grep -o 'Package (0x04) { 0x....FFFF,[^}]*}' >"$work/got"
diff "$work/want" "$work/got" >"$work/log" || fail "_PRT: $(head -5 "$work/log")"

rm -rf "$work"
exit 0
