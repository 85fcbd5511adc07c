/* Ports, strings of ports, and device memory through the emulator. */
#include "tests/guest/exits/exits.h"

#define PIC_MASK 0x21
#define NOBODY   0x300                  /* reads as ones */

static uint8_t buffer[64];

/* +1 or -1 with the direction flag of this round. */
static int32_t step(void)
{
	return exits_in.eflags & EFLAGS_DF ? -1 : 1;
}

static void ports_in(void)
{
	static const struct {
		const char *name;
		uint8_t code[3], length;
		uint32_t eax;
	} rows[] = {
		{ "IN AL, imm8", { 0xe4, PIC_MASK }, 2, 0xa1a2a35a }, { "IN AL, DX", { 0xec }, 1, 0xa1a2a3ff },
		{ "IN AX, DX", { 0x66, 0xed }, 2, 0xa1a2ffff }, { "IN EAX, DX", { 0xed }, 1, 0xffffffff },
	};

	outb(PIC_MASK, 0x5a);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		exits_fresh();
		exits_in.edx = 0xd1d20000 | NOBODY;
		exits_run_bytes(rows[i].code, rows[i].length, false);
		exits_want.eax = rows[i].eax;
		exits_check(rows[i].name);
	}
	outb(PIC_MASK, 0xff);
}

static void ports_out(void)
{
	exits_fresh();
	exits_in.eax = 0xa1a2a336;
	exits_run(0xe6, PIC_MASK);
	exits_check("OUT imm8, AL");
	exits_equal("OUT imm8, AL", "port", inb(PIC_MASK), 0x36);
	exits_fresh();
	exits_in.eax = 0xa1a2a3ff;
	exits_in.edx = 0xd1d20000 | PIC_MASK;
	exits_run(0xee);
	exits_check("OUT DX, AL");
	exits_equal("OUT DX, AL", "port", inb(PIC_MASK), 0xff);
	exits_fresh();
	exits_in.edx = NOBODY;
	exits_run(0x66, 0xef, 0xef);
	exits_check("OUT DX, AX and EAX");
	exits_fresh();
	exits_in.edx = PIC_MASK;
	exits_run_user(0xec);
	exits_check_fault("IN in ring 3", GP, 0, 0);
}

static void strings(void)
{
	uint32_t middle = (uint32_t)(uintptr_t)buffer + 32;

	exits_fresh();
	buffer[32] = 0x69;
	exits_in.esi = middle;
	exits_in.edx = PIC_MASK;
	exits_run(0x6e);
	exits_want.esi = middle + (uint32_t)step();
	exits_check("OUTSB");
	exits_equal("OUTSB", "port", inb(PIC_MASK), 0x69);
	exits_fresh();
	memset(buffer, 0, sizeof(buffer));
	exits_in.edi = middle;
	exits_in.edx = PIC_MASK;
	exits_in.ecx = 5;
	exits_run(0xf3, 0x6c);
	exits_want.edi = middle + (uint32_t)(5 * step());
	exits_want.ecx = 0;
	exits_check("REP INSB");
	for (int32_t i = -6; i <= 6; i++) {
		bool in = step() > 0 ? i >= 0 && i < 5 : i <= 0 && i > -5;
		exits_equal("REP INSB", "memory", buffer[32 + i], in ? 0x69 : 0);
	}
	exits_fresh();
	exits_in.esi = middle;
	exits_in.edx = NOBODY;
	exits_in.ecx = 4;
	exits_run(0xf3, 0x6f);
	exits_want.esi = middle + (uint32_t)(16 * step());
	exits_want.ecx = 0;
	exits_check("REP OUTSL");
	exits_fresh();
	exits_in.ecx = 0;
	exits_in.edx = NOBODY;
	exits_run(0xf3, 0x6c);
	exits_check("REP INSB of none");
	outb(PIC_MASK, 0xff);
}

/* LAPIC's version and task priority: registers that are the same whenever they are looked at. */
static void memory_moves(void)
{
	uint32_t version = apic_get(APIC_VERSION);

	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_run(0x8b, 0x4b, APIC_VERSION);            /* mov 30h(%ebx),%ecx */
	exits_want.ecx = version;
	exits_check("load from a device");
	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_run(0x0f, 0xb6, 0x73, APIC_VERSION);      /* movzbl 30h(%ebx),%esi */
	exits_want.esi = version & 0xff;
	exits_check("MOVZX from a device");
	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_in.edi = 0x35;
	exits_run(0x89, 0xbb, APIC_TPR, 0, 0, 0);       /* mov %edi,80h(%ebx) */
	exits_check("store to a device");
	exits_equal("store to a device", "register", apic_get(APIC_TPR), 0x35);
	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_in.edx = 0x20;
	exits_run(0x87, 0x93, APIC_TPR, 0, 0, 0);       /* xchg %edx,80h(%ebx) */
	exits_want.edx = 0x35;
	exits_check("XCHG with a device");
	exits_equal("XCHG with a device", "register", apic_get(APIC_TPR), 0x20);
	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_run_user(0xc7, 0x83, APIC_TPR, 0, 0, 0, 0, 0, 0, 0);
	exits_check("store of a constant in ring 3");
	exits_equal("store of a constant in ring 3", "register", apic_get(APIC_TPR), 0);
}

static void memory_math(void)
{
	uint32_t middle = (uint32_t)(uintptr_t)buffer + 32;

	apic_put(APIC_TPR, 0x30);
	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_run(0x83, 0xab, APIC_TPR, 0, 0, 0, 0x30); /* subl $30h,80h(%ebx) */
	exits_want.eflags = (exits_in.eflags & ~EFLAGS_MATH) | 0x44;    /* zero, even parity */
	exits_check("SUB on a device");
	exits_equal("SUB on a device", "register", apic_get(APIC_TPR), 0);
	exits_fresh();
	exits_in.esi = LAPIC + APIC_VERSION;
	exits_in.edi = middle;
	exits_run(0xa5);
	exits_want.esi = LAPIC + APIC_VERSION + (uint32_t)(4 * step());
	exits_want.edi = middle + (uint32_t)(4 * step());
	exits_check("MOVSL from a device");
	exits_equal("MOVSL from a device", "memory", *(uint32_t *)(uintptr_t)middle, apic_get(APIC_VERSION));
	exits_fresh();
	exits_in.ebx = LAPIC;
	exits_run(0xff, 0x73, APIC_VERSION, 0x58);      /* pushl 30h(%ebx); pop %eax */
	exits_want.eax = apic_get(APIC_VERSION);
	exits_check("PUSH from a device");
}

void exits_io(void)
{
	ports_in();
	ports_out();
	strings();
	memory_moves();
	memory_math();
}
