# Fills the "//@name" lines of dsdt.asl with the parts that are tables.
#
# Processors: legacy Processor objects, because every guest understands them. Interrupts: PIC mode
# uses link (slot + pin) & 3, I/O APIC mode GSI 16 + ((slot * 4 + slot / 8 + pin) & 31).

function bitmap(  i) {
	for (i = 0; i < 16; i++) {
		printf "\t\t\tPS%02X, 8,\n", i
	}
}

function processors(  i) {
	for (i = 0; i < 128; i++) {
		printf "\t\tProcessor (PR%02X, 0x%02X, 0x0000B010, 0x06)\n\t\t{\n", i, i
		printf "\t\t\tName (_HID, \"ACPI0007\")\n\t\t\tName (_UID, 0x%02X)\n", i
		printf "\t\t\tOperationRegion (MATR, SystemMemory, MAPA + 0x%03X, 8)\n", i * 8
		print "\t\t\tField (MATR, ByteAcc, NoLock, Preserve)\n\t\t\t{\n\t\t\t\tMAT, 64\n\t\t\t}"
		print "\t\t\tField (MATR, ByteAcc, NoLock, Preserve)"
		print "\t\t\t{\n\t\t\t\tOffset (4),\n\t\t\t\tFLG, 1\n\t\t\t}"
		print "\t\t\tMethod (_MAT, 0, NotSerialized)\n\t\t\t{"
		print "\t\t\t\tReturn (ToBuffer (MAT))\n\t\t\t}"
		print "\t\t\tMethod (_STA, 0, NotSerialized)\n\t\t\t{"
		printf "\t\t\t\tIf (NCPU <= 0x%02X)\n\t\t\t\t{\n\t\t\t\t\tReturn (0)\n\t\t\t\t}\n", i
		print "\t\t\t\tReturn (FLG * 0x0F)\n\t\t\t}"
		# The processor is taken away by the toolstack once the guest stopped using it.
		print "\t\t\tMethod (_EJ0, 1, NotSerialized)\n\t\t\t{\n\t\t\t\tSleep (200)\n\t\t\t}"
		# Bring the MADT in line with the bitmap, and tell: 1 appeared, 3 should go.
		print "\t\t\tMethod (SYNC, 1, Serialized)\n\t\t\t{"
		printf "\t\t\t\tIf (NCPU <= 0x%02X || FLG == Arg0)\n\t\t\t\t{\n\t\t\t\t\tReturn\n", i
		print "\t\t\t\t}\n\t\t\t\tFLG = Arg0\n\t\t\t\tCSUM (Arg0)"
		printf "\t\t\t\tNotify (PR%02X, 3 - Arg0 * 2)\n\t\t\t}\n\t\t}\n", i
	}
}

function scan(  i) {
	for (i = 0; i < 128; i++) {
		if (i % 8 == 0) {
			printf "\t\t\tIf (NCPU <= 0x%02X)\n\t\t\t{\n\t\t\t\tReturn\n\t\t\t}\n", i
			printf "\t\t\tLocal0 = PS%02X\n", i / 8
		}
		printf "\t\t\t\\_SB.PR%02X.SYNC ((Local0 >> %d) & 1)\n", i, i % 8
	}
}

function route(apic,  slot, pin, source) {
	for (slot = 1; slot < 32; slot++) {
		for (pin = 0; pin < 4; pin++) {
			source = apic ? "0, " 16 + (slot * 4 + int(slot / 8) + pin) % 32 \
				: "\\_SB.LNK" substr("ABCD", (slot + pin) % 4 + 1, 1) ", 0"
			printf "\t\t\t\tPackage () { 0x%04XFFFF, %d, %s },\n", slot, pin, source
		}
	}
}

function slots(  slot) {
	for (slot = 2; slot < 32; slot++) {
		printf "\t\t\tDevice (S%02X)\n\t\t\t{\n", slot
		printf "\t\t\t\tName (_ADR, 0x%04X0000)\n\t\t\t\tName (_SUN, 0x%02X)\n", slot, slot
		print "\t\t\t\tMethod (_EJ0, 1, Serialized)\n\t\t\t\t{"
		printf "\t\t\t\t\tPCEJ = 0x%08X\n\t\t\t\t}\n\t\t\t}\n", 2 ^ slot
	}
}

function notify(  slot) {
	for (slot = 2; slot < 32; slot++) {
		printf "\t\t\t\tIf (Local0 & 0x%08X)\n\t\t\t\t{\n", 2 ^ slot
		printf "\t\t\t\t\tNotify (S%02X, 1)\n\t\t\t\t}\n", slot
		printf "\t\t\t\tIf (Local1 & 0x%08X)\n\t\t\t\t{\n", 2 ^ slot
		printf "\t\t\t\t\tNotify (S%02X, 3)\n\t\t\t\t}\n", slot
	}
}

function links(  i, c, reg) {
	for (i = 1; i <= 4; i++) {
		c = substr("ABCD", i, 1)
		reg = "\\_SB.PCI0.ISA.PIR" c
		printf "\t\tDevice (LNK%s)\n\t\t{\n", c
		printf "\t\t\tName (_HID, EisaId (\"PNP0C0F\"))\n\t\t\tName (_UID, %d)\n", i
		# Bit 7 of the router's register: not routed.
		print "\t\t\tMethod (_STA, 0, NotSerialized)\n\t\t\t{"
		printf "\t\t\t\tIf (%s & 0x80)\n\t\t\t\t{\n\t\t\t\t\tReturn (0x09)\n\t\t\t\t}\n", reg
		print "\t\t\t\tReturn (0x0B)\n\t\t\t}"
		print "\t\t\tName (_PRS, ResourceTemplate ()\n\t\t\t{"
		print "\t\t\t\tIRQ (Level, ActiveLow, Shared) { 5, 10, 11 }\n\t\t\t})"
		print "\t\t\tMethod (_DIS, 0, NotSerialized)\n\t\t\t{"
		printf "\t\t\t\t%s = 0x80\n\t\t\t}\n", reg
		print "\t\t\tName (CURR, ResourceTemplate ()\n\t\t\t{"
		print "\t\t\t\tIRQ (Level, ActiveLow, Shared) { 5 }\n\t\t\t})"
		print "\t\t\tMethod (_CRS, 0, Serialized)\n\t\t\t{"
		print "\t\t\t\tCreateWordField (CURR, 1, MASK)"
		printf "\t\t\t\tIf (%s & 0x80)\n\t\t\t\t{\n\t\t\t\t\tMASK = 0\n\t\t\t\t}\n", reg
		printf "\t\t\t\tElse\n\t\t\t\t{\n\t\t\t\t\tMASK = 1 << (%s & 0x0F)\n\t\t\t\t}\n", reg
		print "\t\t\t\tReturn (CURR)\n\t\t\t}"
		print "\t\t\tMethod (_SRS, 1, Serialized)\n\t\t\t{"
		print "\t\t\t\tCreateWordField (Arg0, 1, WANT)"
		printf "\t\t\t\tFindSetRightBit (WANT, Local0)\n\t\t\t\t%s = Local0 - 1\n", reg
		print "\t\t\t}\n\t\t}"
	}
}

$1 == "//@bitmap" { bitmap(); next }
$1 == "//@processors" { processors(); next }
$1 == "//@scan" { scan(); next }
$1 == "//@prt-pic" { route(0); next }
$1 == "//@prt-apic" { route(1); next }
$1 == "//@slots" { slots(); next }
$1 == "//@notify" { notify(); next }
$1 == "//@links" { links(); next }
$1 ~ /^\/\/@/ { print "mkdsdt.awk: unknown table " $1 > "/dev/stderr"; exit 1 }
{ print }
