/*
 * A guest that does what no system does: random ports, MSRs, device memory, holes, hypercalls, control registers,
 * instructions on device memory, for a number of rounds; then an end of its own choice.
 *
 * Everything follows from the words of the command line: "seed=N rounds=N ops=MASK end=NAME", so that a run can be
 * repeated. It is allowed to die at any point. What must survive is everybody else; the harness looks at these. An
 * exception inside an operation ends that operation only: hostile_try() restores stack and segments.
 */
#include "tests/guest/hostile/hostile.h"

#include <xen/memory.h>
#include <xen/sched.h>


#define DELIVERY      0x700u
#define DELIVERY_NMI  0x400u
#define IOAPIC_BASE   0xfec00000u
#define HPET_BASE     0xfed00000u
#define MSR_APIC_BASE 0x1bu
#define MSR_X2APIC    0x800u
#define MSR_HYPERCALL 0x40000000u

#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_KNOWN 0x507ffu

#define WINDOW 0x40000000u              /* linear address of the page that shows any physical one */
#define PTE_RW 3u
#define PTE_2M 0x83u

static uint32_t rng = 1;
static uint32_t round_no, faults;
static bool gentle = true;              /* leave out what surely ends the guest */
static bool in_op;
uint8_t hostile_scratch[HOSTILE_SCRATCH] __attribute__((aligned(4096)));
uint64_t hostile_pdpt[4] __attribute__((aligned(32)));
static uint64_t pd[4][512] __attribute__((aligned(4096)));
static uint64_t pt[512] __attribute__((aligned(4096)));

/* xorshift */
uint32_t hostile_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return rng;
}

/* Numbers that code gets wrong, and any others. */
uint32_t hostile_any32(void)
{
	static const uint32_t edges[] = { 0, 1, 2, 3, 0x7f, 0xff, 0xfff, 0x1000, 0x7fffffff, 0x80000000, 0xfffff000,
					  0xfffffffe, 0xffffffff };

	switch (below(4)) {
	case 0:
		return edges[below(ARRAY_SIZE(edges))];
	case 1:
		return 1u << below(32);
	case 2:
		return below(256);
	default:
		return hostile_random();
	}
}

static uint64_t any64(void)
{
	return (uint64_t)any32() << 32 | any32();
}

/* ---- one operation, whatever it does ---- */

uint32_t hostile_esp;

/* int hostile_try(void (*op)(void)): 0, or 1 when an exception ended it. */
__asm__("	.text\n"
	"	.globl hostile_try\n"
	"hostile_try:\n"
	"	pusha\n"
	"	mov	%esp, hostile_esp\n"
	"	mov	36(%esp), %eax\n"
	"	call	*%eax\n"
	"	mov	hostile_esp, %esp\n"
	"	cld\n"
	"	popa\n"
	"	xor	%eax, %eax\n"
	"	ret\n"
	"	.globl hostile_failed\n"
	"hostile_failed:\n"
	"	mov	$0x10, %eax\n"
	"	mov	%eax, %ds\n"
	"	mov	%eax, %es\n"
	"	mov	%eax, %fs\n"
	"	mov	%eax, %gs\n"
	"	mov	%eax, %ss\n"
	"	mov	hostile_esp, %esp\n"
	"	push	$2\n"
	"	popf\n"
	"	popa\n"
	"	mov	$1, %eax\n"
	"	ret\n");

static void on_interrupt(struct rt_frame *f)
{
	f->eflags &= ~0x200u;
}

/*
 * INT n on a vector with an error code leaves the frame one word short: then the word above it is overwritten, which
 * is the stack of the operation that ends here.
 */
static void on_exception(struct rt_frame *f)
{
	uint32_t zero = 0;

	__asm__ volatile("mov %0, %%dr7" : : "r"(zero));
	if (!in_op) {
		rt_printf("hostile: ended by vector %u at %08x, round %u\n", f->vector, f->eip, round_no);
		rt_shutdown(SHUTDOWN_crash);
	}
	faults++;
	f->eip = (uint32_t)(uintptr_t)hostile_failed;
	f->cs = CODE_SELECTOR;
	f->eflags = 2;
}

/* ---- ports ---- */

/* Ports whose use resets the machine or puts it to sleep. */
static bool port_ends(uint16_t port)
{
	static const uint16_t ends[] = { 0x64, 0x92, 0xb2, 0xcf8, 0xcf9, 0xcfa, 0xcfb, 0x1f44, 0xb004 };

	for (unsigned int i = 0; i < ARRAY_SIZE(ends); i++) {
		if (port <= ends[i] && port + 3 >= ends[i]) {
			return true;
		}
	}
	return port >= 0xe6 && port <= 0xe9; /* text has its own channel */
}

static uint16_t any_port(void)
{
	static const uint16_t known[] = { 0x00, 0x20, 0x21, 0x40, 0x43, 0x60, 0x61, 0x70, 0x71, 0x80, 0xa0, 0xa1, 0xc0,
					  0x170, 0x1f0, 0x1f7, 0x2f8, 0x3b0, 0x3c0, 0x3d4, 0x3f0, 0x3f8, 0x4d0, 0x510,
					  0xcfc, 0x1f40, 0x1f48, 0xb000, 0xb008, 0xafe0, 0xae00, 0xfffc, 0xfffe, 0xffff };
	uint16_t port;

	do {
		port = below(2) ? (uint16_t)(known[below(ARRAY_SIZE(known))] + below(4)) : (uint16_t)hostile_random();
	} while (gentle && port_ends(port));
	return port;
}

static void op_port(void)
{
	uint16_t port = any_port();
	uint32_t value = any32();

	switch (below(6)) {
	case 0:
		(void)inb(port);
		break;
	case 1:
		(void)inw(port);
		break;
	case 2:
		(void)inl(port);
		break;
	case 3:
		outb(port, (uint8_t)value);
		break;
	case 4:
		outw(port, (uint16_t)value);
		break;
	default:
		outl(port, value);
		break;
	}
}

/* Where string instructions read and write: own memory, its end, holes, devices. */
static uint32_t any_address(void)
{
	static const uint32_t places[] = { 0xa0000, 0xc0000, 0xf0000, 0x1000000, 0x40000000, 0xe0000000, 0xf0000000,
					   IOAPIC_BASE, HPET_BASE, APIC_BASE, 0xfef00000, 0xff000000, 0xfffffff0 };

	if (below(3) == 0) {
		return (uint32_t)(uintptr_t)hostile_scratch + below(4096);
	}
	return places[below(ARRAY_SIZE(places))] + (below(2) ? below(4096) : 4096 - below(16));
}

static void op_string_port(void)
{
	uint16_t port = any_port();
	uint32_t count = below(64), at = any_address();
	bool out = below(2), down = below(2);

	if (down) {
		__asm__ volatile("std");
	}
	if (out) {
		__asm__ volatile("rep outsb" : "+S"(at), "+c"(count) : "d"(port) : "memory");
	} else if (!gentle || (at >= (uintptr_t)hostile_scratch && at < (uintptr_t)hostile_scratch + 4096)) {
		at += 1024;
		__asm__ volatile("rep insw" : "+D"(at), "+c"(count) : "d"(port) : "memory");
	}
	__asm__ volatile("cld");
}

/* ---- registers ---- */

static uint32_t any_msr(void)
{
	static const uint32_t bases[] = { 0, 0x10, 0x170, 0x200, 0x250, 0x2ff, 0x400, 0x480, MSR_X2APIC, 0xd90,
					  0x40000000, 0x40000070, 0xc0000080, 0xc0000100, 0xc0010000, 0xc0010110,
					  0xc0011020 };

	return below(4) ? bases[below(ARRAY_SIZE(bases))] + below(64) : any32();
}

static void op_msr_read(void)
{
	(void)rdmsr(any_msr());
}

static void op_msr_write(void)
{
	uint32_t msr = any_msr();
	uint64_t value = any64();

	if (gentle) {
		if (msr == MSR_HYPERCALL) {
			value |= 1ull << 31; /* not over this program */
		} else if (msr == MSR_APIC_BASE) {
			value = (value & 0xfff) | APIC_BASE;
		} else if (msr == MSR_X2APIC + 0x30 || (msr >= MSR_X2APIC + 0x2f && msr <= MSR_X2APIC + 0x37)) {
			value = (value & ~(uint64_t)DELIVERY) | (below(2) ? DELIVERY_NMI : 0);
		}
	}
	wrmsr(msr, value);
}

static void op_cpuid(void)
{
	static const uint32_t bases[] = { 0, 0x40000000, 0x40000100, 0x80000000, 0xc0000000 };
	uint32_t r[4];

	cpuid(below(4) ? bases[below(ARRAY_SIZE(bases))] + below(48) : any32(), any32(), r);
}

static void op_control(void)
{
	uint32_t value = any32(), old;

	switch (below(gentle ? 4 : 6)) {
	case 0:
		__asm__ volatile("mov %%cr0, %0" : "=r"(old));
		value = gentle ? (value & ~CR0_PG) | CR0_PE | (old & CR0_PG) : value;
		__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
		__asm__ volatile("mov %0, %%cr0" : : "r"(old) : "memory");
		break;
	case 1:
		__asm__ volatile("mov %%cr4, %0" : "=r"(old));
		/* a reserved bit is #GP on a processor, and the end of the guest on QEMU's TCG */
		value = gentle ? (value & CR4_KNOWN & ~CR4_PAE) | (old & CR4_PAE) : value;
		__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
		__asm__ volatile("mov %0, %%cr4" : : "r"(old) : "memory");
		break;
	case 2:
		__asm__ volatile("mov %0, %%cr2" : : "r"(value));
		break;
	case 3:
		__asm__ volatile("lmsw %w0" : : "r"((value & 0xe) | CR0_PE));
		__asm__ volatile("clts");
		break;
	case 4:
		__asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
		break;
	default:
		__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
		break;
	}
}

static void op_debug(void)
{
	uint32_t value = below(2) ? any32() : any_address();

	switch (below(6)) {
	case 0:
		__asm__ volatile("mov %0, %%dr0" : : "r"(value));
		break;
	case 1:
		__asm__ volatile("mov %0, %%dr3" : : "r"(value));
		break;
	case 2:
		__asm__ volatile("mov %0, %%dr6" : : "r"(value));
		break;
	case 3:
		__asm__ volatile("mov %0, %%dr4" : : "r"(value));
		break;
	case 4:
		__asm__ volatile("mov %%dr6, %0" : "=r"(value));
		break;
	default:
		__asm__ volatile("mov %0, %%dr7" : : "r"(value));
		break;
	}
}

/* Instructions that ask for what a guest does not have, or that the hypervisor has to look at. */
static void op_odd(void)
{
	uint32_t a = any32(), d = any32(), c = below(3);

	switch (below(14)) {
	case 0:
		__asm__ volatile(".byte 0x0f, 0x01, 0xd1" : : "a"(a), "d"(d), "c"(c)); /* xsetbv */
		break;
	case 1:
		__asm__ volatile(".byte 0x0f, 0x01, 0xd8" : : "a"(a)); /* vmrun */
		break;
	case 2:
		__asm__ volatile(".byte 0x0f, 0x01, 0xda" : : "a"(a)); /* vmload */
		break;
	case 3:
		__asm__ volatile(".byte 0x0f, 0x01, 0xdc"); /* stgi */
		break;
	case 4:
		__asm__ volatile(".byte 0x0f, 0x01, 0xdd"); /* clgi */
		break;
	case 5:
		__asm__ volatile(".byte 0x0f, 0x01, 0xdf" : : "a"(a), "c"(c)); /* invlpga */
		break;
	case 6:
		__asm__ volatile(".byte 0x0f, 0x01, 0xc8" : : "a"(a), "c"(c), "d"(d)); /* monitor */
		break;
	case 7:
		__asm__ volatile(".byte 0x0f, 0x33" : : "c"(a)); /* rdpmc */
		break;
	case 8:
		__asm__ volatile("wbinvd; invd");
		break;
	case 9:
		__asm__ volatile(".byte 0x0f, 0xc7, 0x33" : : "b"(a)); /* vmptrld */
		break;
	case 10:
		__asm__ volatile("invlpg (%0)" : : "r"(a));
		break;
	case 11:
		__asm__ volatile(".byte 0x0f, 0x0b");
		break;
	case 12:
		__asm__ volatile(".byte 0x0f, 0xaa"); /* rsm */
		break;
	default:
		__asm__ volatile("pushl %0; popfl" : : "r"((a & 0x3d7dd5) & ~0x300u) : "memory", "cc");
		break;
	}
}

/* ---- memory ---- */

/* A value for a register that could have the delivery mode INIT in it. */
static uint32_t tame(uint32_t at, uint32_t value)
{
	bool apic = at - APIC_BASE < 4096 && (at & 0xff0) >= 0x2f0 && (at & 0xff0) <= 0x370;
	bool ioapic = at - IOAPIC_BASE < 4096;

	if (gentle && (apic || ioapic)) {
		return (value & ~DELIVERY) | (below(4) == 0 ? DELIVERY_NMI : 0);
	}
	return value;
}

/* Device memory and holes: never the RAM that this program lives in. */
static uint32_t any_device(void)
{
	static const uint32_t places[] = { 0xa0000, 0xb8000, 0x80000000, 0xe0000000, 0xf0000000, 0xf2000000,
					   0xfd000000, 0xfe000000, IOAPIC_BASE, HPET_BASE, APIC_BASE, 0xfff00000 };
	uint32_t at = places[below(ARRAY_SIZE(places))];

	at += below(3) ? below(1024) & ~3u : below(4096);
	return at >= 0x1000000 || at < 0xc0000 ? at : 0xe0000000;
}

static void op_device(void)
{
	uint32_t at = any_device(), value = tame(at, any32());

	if (gentle && at - APIC_BASE < 4096) {
		at &= ~15u; /* a write across a register could reach the next one */
	}
	switch (below(8)) {
	case 0:
		(void)*(volatile uint8_t *)at;
		break;
	case 1:
		(void)*(volatile uint16_t *)at;
		break;
	case 2:
	case 3:
		(void)mmio_read32(at);
		break;
	case 4:
		*(volatile uint8_t *)at = (uint8_t)(gentle && at - APIC_BASE < 4096 ? 0 : value);
		break;
	case 5:
		*(volatile uint16_t *)at = (uint16_t)value;
		break;
	default:
		mmio_write32(at, value);
		break;
	}
}

static void op_device_string(void)
{
	uint32_t from = any_device(), to = any_device(), count = below(40);

	if (gentle && to - APIC_BASE < 4096) {
		to = HPET_BASE + (to & 0xfff);
	}
	switch (below(5)) {
	case 0:
		__asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
		break;
	case 1:
		__asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
		break;
	case 2:
		__asm__ volatile("rep stosw" : "+D"(to), "+c"(count) : "a"(0) : "memory");
		break;
	case 3:
		__asm__ volatile("repe cmpsb" : "+S"(from), "+D"(to), "+c"(count) : : "memory", "cc");
		break;
	default:
		__asm__ volatile("repne scasl" : "+D"(to), "+c"(count) : "a"(from) : "memory", "cc");
		break;
	}
}

/* Loads of segment, control and descriptor registers, HLT, SYSENTER: what hostile_try() cannot repair. */
static bool opcode_ends(bool two_bytes, uint32_t opcode)
{
	static const uint8_t one[] = { 0x07, 0x17, 0x1f, 0x8e, 0xc4, 0xc5, 0xf4, 0xfe, 0xff };
	static const uint8_t two[] = { 0x20, 0x21, 0x22, 0x23, 0x34, 0x35, 0xa1, 0xa9, 0xb2, 0xb4, 0xb5 };
	const uint8_t *list = two_bytes ? two : one;

	for (unsigned int i = 0; i < (two_bytes ? sizeof(two) : sizeof(one)); i++) {
		if (list[i] == opcode) {
			return true;
		}
	}
	return false;
}

/* An instruction of any kind whose operand is device memory, written a moment ago: the code page changes each time. */
static void op_instruction(void)
{
	static const uint8_t prefixes[] = { 0x66, 0xf0, 0xf2, 0xf3, 0x26, 0x36, 0x2e, 0x64 };
	uint32_t at = any_device(), to = any_device(), count = below(20), value = any32(), n = 0;
	uint32_t opcode;
	uint8_t *code = hostile_scratch + 4096 + below(16) * 128;
	bool two_bytes = below(2);

	if (gentle && (at - APIC_BASE < 4096 || at - IOAPIC_BASE < 4096)) {
		at = HPET_BASE + (at & 0xfff);
	}
	if (gentle && (to - APIC_BASE < 4096 || to - IOAPIC_BASE < 4096)) {
		to = HPET_BASE + (to & 0xfff);
	}
	do {
		opcode = !two_bytes ? below(256) : below(3) ? 0x90 + below(0x70) : 0x10 + below(0x40);
	} while (gentle && opcode_ends(two_bytes, opcode));
	memset(code, 0x90, 64);
	if (below(3) == 0) {
		code[n++] = prefixes[below(sizeof(prefixes))];
	}
	if (two_bytes) {
		code[n++] = 0x0f;
	}
	code[n++] = (uint8_t)opcode;
	code[n++] = (uint8_t)(below(8) << 3 | 5);
	memcpy(code + n, &at, 4);
	code[63] = 0xc3;
	__asm__ volatile("push %%ebp; call *%%ebx; pop %%ebp"
			 : "+a"(value), "+c"(count), "+b"(code), "+S"(at), "+D"(to)
			 : "d"(0x80)
			 : "memory", "cc");
}

/* The same instruction bytes at the same place become another intercepted instruction, and run at once. */
static void op_self_modify(void)
{
	static const uint8_t forms[][4] = { { 0x0f, 0xa2, 0xc3 }, { 0x0f, 0x32, 0xc3 }, { 0xe4, 0x80, 0xc3 },
					    { 0xe6, 0x80, 0xc3 }, { 0x0f, 0x01, 0xd9, 0xc3 }, { 0x0f, 0x09, 0xc3 },
					    { 0x0f, 0x31, 0xc3 }, { 0x66, 0xed, 0xc3 }, { 0x2e, 0x0f, 0xa2, 0xc3 } };
	uint8_t *code = hostile_scratch + HOSTILE_SCRATCH - 4;

	for (unsigned int i = 0; i < 4; i++) {
		memcpy(code, forms[below(ARRAY_SIZE(forms))], 4);
		uint32_t a = 0x40000000, c = below(2) ? 0x1b : 0x277, d = 0x80;

		__asm__ volatile("call *%3" : "+a"(a), "+c"(c), "+d"(d) : "r"(code) : "ebx", "memory", "cc");
	}
}

/* Any physical address through a page table entry of its own, bits above the processor's width too. */
static void op_high(void)
{
	uint64_t at = (uint64_t)(below(2) ? below(256) : any32() & 0xfffff) << 32 | (any32() & 0xfffff000);

	if (below(4) != 0) {
		at &= 0xffffffffffull;
	}
	if (gentle && at < 0x2000000) {
		at |= 1ull << 33;
	}
	pt[0] = (at & 0x800ffffffffff000ull) | PTE_RW;
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
	if (below(2)) {
		(void)mmio_read32(WINDOW + (below(1024) & ~3u));
	} else if (at >> 32 != 0 || at < 0xfec00000) {
		mmio_write32(WINDOW + (below(1024) & ~3u), any32());
	}
}

/* ---- hypercalls ---- */

static uint32_t any_argument(void)
{
	switch (below(6)) {
	case 0:
		return (uint32_t)(uintptr_t)hostile_scratch;
	case 1:
		return (uint32_t)(uintptr_t)hostile_scratch + 4096 - below(64);
	case 2:
		return any_device();
	case 3:
		return DOMID_SELF;
	default:
		return any32();
	}
}

static void op_hypercall(void)
{
	uint32_t nr = below(8) ? below(64) : below(128), a1 = any_argument();

	if (rt_xen_leaf() == 0) {
		return;
	}
	/* Blocking, polling and shutting down end the fun; giving pages away ends this program. */
	if (gentle && (nr == __HYPERVISOR_sched_op || nr == __HYPERVISOR_sched_op_compat)) {
		return;
	}
	if (gentle && nr == __HYPERVISOR_memory_op && (a1 & 0x3f) <= XENMEM_populate_physmap) {
		a1 = XENMEM_memory_map;
	}
	for (unsigned int i = 0; i < 1024; i++) {
		((uint32_t *)hostile_scratch)[i] = i % 2 ? any32() : below(16);
	}
	if (below(2)) {
		((uint32_t *)hostile_scratch)[0] = DOMID_SELF;
	}
	(void)rt_hypercall(nr, a1, any_argument(), any_argument(), any_argument(), any_argument());
}

/* ---- interrupts ---- */

static void op_interrupts(void)
{
	for (unsigned int i = 0; i < 32; i++) {
		__asm__ volatile("int $0x80; int $0x20; int $0xff; int $2");
	}
	switch (below(5)) {
	case 0:
		__asm__ volatile("int3");
		break;
	case 1:
		__asm__ volatile("int $13");
		break;
	case 2:
		__asm__ volatile("int $14");
		break;
	case 3:
		__asm__ volatile("int $8");
		break;
	default:
		__asm__ volatile("int $1");
		break;
	}
}

/* Interrupts from every controller, for a moment let in. */
static void op_irq_storm(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		mmio_write32(APIC_BASE + 0xf0, 0x1ff);
		mmio_write32(APIC_BASE + APIC_ICR, 0x40000 | (0x20 + below(0xe0)));
	}
	mmio_write32(APIC_BASE + 0x380, below(2000));
	outb(0x43, 0x34);
	outb(0x40, 0x20);
	outb(0x40, 0);
	for (unsigned int i = 0; i < 8; i++) {
		__asm__ volatile("sti; nop; nop; cli" : : : "memory");
		mmio_write32(APIC_BASE + 0xb0, 0);
		outb(0x20, 0x20);
	}
}

static void op_task(void)
{
	hostile_task(gentle);
}

static const struct {
	const char *name;
	void (*op)(void);
} ops[] = {
	{ "port", op_port },           { "string-port", op_string_port },     { "msr-read", op_msr_read },
	{ "msr-write", op_msr_write }, { "cpuid", op_cpuid },                 { "control", op_control },
	{ "debug", op_debug },         { "odd", op_odd },                     { "device", op_device },
	{ "device-string", op_device_string },
	{ "instruction", op_instruction }, { "self-modify", op_self_modify }, { "high", op_high },
	{ "hypercall", op_hypercall }, { "interrupts", op_interrupts },       { "irq-storm", op_irq_storm },
	{ "task", op_task },
};

/* Nothing but task switches, without mercy. */
void hostile_switch(void)
{
	gentle = false;
	for (unsigned int i = 0; i < 2000; i++) {
		(void)hostile_try(op_task);
	}
}

/* Everything that was left out before. */
void hostile_all(void)
{
	gentle = false;
	for (unsigned int i = 0; i < 20000; i++) {
		(void)hostile_try(ops[below(ARRAY_SIZE(ops))].op);
	}
}

/* ---- command line ---- */

/* The text after "NAME=", or NULL. */
static const char *word(const char *line, const char *name)
{
	size_t n = strlen(name);

	for (; line != NULL && *line != '\0'; line++) {
		if (memcmp(line, name, n) == 0 && line[n] == '=') {
			return line + n + 1;
		}
	}
	return NULL;
}

static uint32_t number(const char *line, const char *name, uint32_t otherwise)
{
	const char *p = word(line, name);
	uint32_t value = 0;

	if (p == NULL) {
		return otherwise;
	}
	while (*p >= '0' && *p <= '9') {
		value = value * 10 + (uint32_t)(*p++ - '0');
	}
	return value;
}

static void paging_on(void)
{
	uint32_t cr0, cr4;

	for (unsigned int i = 0; i < 4; i++) {
		hostile_pdpt[i] = (uint32_t)(uintptr_t)pd[i] | 1;
		for (unsigned int j = 0; j < 512; j++) {
			pd[i][j] = ((uint64_t)i << 30 | j << 21) | PTE_2M;
		}
	}
	pd[1][0] = (uint32_t)(uintptr_t)pt | PTE_RW;
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PAE | CR4_PSE));
	__asm__ volatile("mov %0, %%cr3" : : "r"(hostile_pdpt) : "memory");
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG) : "memory");
}

int guest_main(const struct hvm_start_info *info)
{
	const char *line = (const char *)(uintptr_t)info->cmdline_paddr;
	uint32_t mask = number(line, "ops", ~0u), rounds = number(line, "rounds", 300);

	rng = number(line, "seed", 1) * 2654435761u | 1;
	for (unsigned int i = 0; i < 256; i++) {
		rt_set_handler((uint8_t)i, i < 32 && i != 2 ? on_exception : on_interrupt);
	}
	paging_on();
	in_op = true;
	for (round_no = 0; round_no < rounds; round_no++) {
		unsigned int i = below(ARRAY_SIZE(ops));

		if (mask >> i & 1) {
			(void)hostile_try(ops[i].op);
		}
		if (round_no % 4096 == 4095) {
			rt_printf("hostile: round %u, %u faults, last %s\n", round_no + 1, faults, ops[i].name);
		}
	}
	in_op = false;
	rt_printf("hostile: %u rounds, %u faults\n", rounds, faults);
	in_op = below(2);
	hostile_end(word(line, "end"));
	in_op = false;
	rt_puts("hostile: OK\n");
	return 0;
}
