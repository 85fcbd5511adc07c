/*
 * What exits do to the registers of 64-bit code: all sixteen, the upper halves, CR8, 64-bit hypercalls, addresses that
 * are none; interrupts held back by CR8. The 32-bit side of it is exits/. Every case goes into 64-bit mode and back.
 */
#include "tests/guest/rt/rt.h"

#include <xen/version.h>

#define LAPIC 0xfee00000u
#define APIC_VERSION 0x30u
#define APIC_TPR     0x80u
#define APIC_SPIV    0xf0u
#define APIC_ICR     0x300u
#define APIC_LVT     0x320u
#define APIC_INITIAL 0x380u
#define APIC_DIVIDE  0x3e0u
#define APIC_SELF    0x40000u
#define PIC_MASK     0x21
#define NOBODY       0x300
#define TIMER_SHORT  20000u
#define UNMAPPED     0x0000700000000123ull
#define NO_ADDRESS   0x8000000000000000ull
#define EFLAGS_IF    0x200u

enum { UD = 6, GP = 13, PF = 14, LOW = 0x41, TIMER = 0x73 };
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, RFLAGS, REGS };

extern uint64_t exits64_in[REGS], exits64_out[REGS], exits64_seen[3];
uint64_t exits64_in[REGS], exits64_out[REGS], exits64_seen[3];
extern uint32_t exits64_taken;
uint32_t exits64_taken;
static uint64_t want[REGS];
extern uint8_t exits64_hole[32];
extern const uint8_t exits64_stubs[];
void exits64_probe(void);

extern uint64_t exits64_pml4[512];
uint64_t exits64_pml4[512] __attribute__((aligned(4096)));
static uint64_t pdpt[512] __attribute__((aligned(4096)));
static uint64_t pd[4][512] __attribute__((aligned(4096)));
static uint64_t idt[256][2];
extern struct pointer64 {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed)) exits64_idt_pointer;
struct pointer64 exits64_idt_pointer;

static uint64_t gdt[4] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff };
static unsigned int failures, cases;

static void fail(const char *name, const char *what, uint64_t got, uint64_t wanted)
{
	failures++;
	rt_printf("FAIL exits64: %s: %s is %016llx, not %016llx\n", name, what, got, wanted);
}

static void equal(const char *name, const char *what, uint64_t got, uint64_t wanted)
{
	if (got != wanted) {
		fail(name, what, got, wanted);
	}
}

static void tables(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(gdt) - 1, (uint32_t)(uintptr_t)gdt };

	exits64_pml4[0] = (uint32_t)(uintptr_t)pdpt | 3;
	for (uint32_t i = 0; i < 2048; i++) {
		pd[i / 512][i % 512] = (uint64_t)i << 21 | 0x83;
	}
	for (unsigned int i = 0; i < 4; i++) {
		pdpt[i] = (uint32_t)(uintptr_t)pd[i] | 3;
	}
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t stub = (uint32_t)(uintptr_t)exits64_stubs + i * 16;

		idt[i][0] = (uint64_t)((stub & 0xffff0000) | 0x8e00) << 32 | 0x18u << 16 | (stub & 0xffff);
	}
	exits64_idt_pointer = (struct pointer64){ sizeof(idt) - 1, (uint32_t)(uintptr_t)idt };
	__asm__ volatile("lgdt %0" : : "m"(pointer));
}

static void fresh(void)
{
	for (unsigned int i = 0; i < RFLAGS; i++) {
		exits64_in[i] = 0x1111111111111111ull * i + 0x0123456789abcdefull;
	}
	exits64_in[RFLAGS] = 0x8d7;
}

static void run_bytes(const uint8_t *code, unsigned int length)
{
	memset(exits64_hole, 0x90, sizeof(exits64_hole));
	memcpy(exits64_hole, code, length);
	exits64_taken = 0;
	cases++;
	exits64_probe();
	memcpy(want, exits64_in, sizeof(want));
}

#define run(...) run_bytes((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void check(const char *name)
{
	static const char *const reg[REGS] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10",
					       "R11", "R12", "R13", "R14", "R15", "RFLAGS" };

	for (unsigned int i = 0; i < REGS; i++) {
		equal(name, reg[i], exits64_out[i], want[i]);
	}
	equal(name, "count of exceptions", exits64_taken, 0);
}

static void check_event(const char *name, uint64_t vector, uint64_t error, uint32_t at)
{
	equal(name, "count of events", exits64_taken, 1);
	equal(name, "vector", exits64_seen[0], vector);
	equal(name, "error code", exits64_seen[1], error);
	equal(name, "RIP", exits64_seen[2] - (uint32_t)(uintptr_t)exits64_hole, at);
	exits64_taken = 0;
	check(name);
}

/* Else AMD's, which here is QEMU's and checks less. */
static bool intel(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	return r[2] == 0x6c65746e;
}

static void cpuid_and_msrs(void)
{
	uint64_t base = 0x00007fff12345000ull;

	fresh();
	exits64_in[RAX] = 0xffffffff00000000ull | (rt_xen_leaf() + 1);
	run(0x0f, 0xa2);
	want[RAX] = 0x00040011;
	want[RCX] = want[RDX] = want[RBX] = 0;
	check("CPUID");
	fresh();
	exits64_in[RCX] = 0xffffffff0000001bull;
	run(0x0f, 0x32);
	want[RAX] = LAPIC | 0x900;
	want[RDX] = 0;
	check("RDMSR");
	fresh();
	exits64_in[RCX] = 0xc0000102;
	exits64_in[RAX] = (uint32_t)base;
	exits64_in[RDX] = base >> 32;
	run(0x0f, 0x30, 0x0f, 0x01, 0xf8, 0xb9, 0x01, 0x01, 0x00, 0xc0, 0x0f, 0x32, 0x0f, 0x01, 0xf8);
	want[RCX] = 0xc0000101;
	check("WRMSR of the kernel's GS base, SWAPGS, RDMSR of the GS base");
	fresh();
	exits64_in[RCX] = 0x4fffff00;
	run(0x0f, 0x32);
	check_event("RDMSR of none", GP, 0, 0);
	if (intel()) {
		fresh();
		exits64_in[RCX] = 0xc0000082;
		run(0x0f, 0x30);
		check_event("WRMSR, address not canonical", GP, 0, 0);
	}
}

static void ports(void)
{
	static uint8_t buffer[16];

	outb(PIC_MASK, 0x5a);
	fresh();
	run(0xe4, PIC_MASK);
	want[RAX] = (exits64_in[RAX] & ~0xffull) | 0x5a;
	check("IN AL");
	fresh();
	exits64_in[RDX] = NOBODY;
	run(0x66, 0xed);
	want[RAX] |= 0xffff;
	check("IN AX");
	fresh();
	exits64_in[RDX] = NOBODY;
	run(0xed);
	want[RAX] = 0xffffffff;
	check("IN EAX");
	fresh();
	exits64_in[RDX] = PIC_MASK;
	exits64_in[RDI] = (uint32_t)(uintptr_t)buffer;
	exits64_in[RCX] = 3;
	run(0xf3, 0x6c);
	want[RDI] += 3;
	want[RCX] = 0;
	check("REP INSB");
	equal("REP INSB", "memory", *(uint32_t *)buffer, 0x5a5a5a);
	fresh();
	exits64_in[RAX] = 0xff;
	run(0xe6, PIC_MASK);
	check("OUT AL");
	equal("OUT AL", "port", inb(PIC_MASK), 0xff);
}

static void control_registers(void)
{
	fresh();
	exits64_in[R10] = 0x8001003b;                   /* with TS */
	run(0x41, 0x0f, 0x22, 0xc2, 0x41, 0x0f, 0x20, 0xc7, 0x0f, 0x06, 0x41, 0x0f, 0x20, 0xc6);
	want[R15] = 0x8001003b;                         /* mov %r10,%cr0; mov %cr0,%r15; clts; mov %cr0,%r14 */
	want[R14] = 0x80010033;
	check("CR0");
	fresh();
	exits64_in[R9] = 0xa0;
	run(0x41, 0x0f, 0x22, 0xe1, 0x41, 0x0f, 0x20, 0xe0, 0x44, 0x0f, 0x20, 0xc1);
	want[R8] = 0xa0;                                /* mov %r9,%cr4; mov %cr4,%r8; mov %cr8,%rcx */
	want[RCX] = 0;
	check("CR4");
	fresh();
	exits64_in[R11] = 5;
	run(0x45, 0x0f, 0x22, 0xc3, 0x45, 0x0f, 0x20, 0xc4); /* mov %r11,%cr8; mov %cr8,%r12 */
	want[R12] = 5;
	check("CR8");
	equal("CR8", "APIC's task priority", mmio_read32(LAPIC + APIC_TPR), 0x50);
	mmio_write32(LAPIC + APIC_TPR, 0x30);
	fresh();
	run(0x44, 0x0f, 0x20, 0xc0);
	want[RAX] = 3;
	check("CR8 after a store to the APIC");
	mmio_write32(LAPIC + APIC_TPR, 0);
	if (intel()) {
		fresh();
		exits64_in[RDX] = 16;
		run(0x44, 0x0f, 0x22, 0xc2);
		check_event("CR8 above 15", GP, 0, 0);
		fresh();
		exits64_in[RBX] = 1ull << 32 | 0x80010033;
		run(0x0f, 0x22, 0xc3);
		check_event("CR0, upper half", GP, 0, 0);
		fresh();
		exits64_in[RBX] = 0;
		run(0x0f, 0x22, 0xe3);
		check_event("CR4 without PAE", GP, 0, 0);
		fresh();
		run(0x0f, 0x23, 0xfb);
		check_event("DR7, upper half", GP, 0, 0);
	}
	fresh();
	run(0x41, 0x0f, 0x23, 0xd1, 0x41, 0x0f, 0x21, 0xd5); /* mov %r9,%dr2; mov %dr2,%r13 */
	want[R13] = exits64_in[R9];
	check("DR2");
	__asm__ volatile("mov %0, %%dr2" : : "r"(0));
}

static void device_memory(void)
{
	uint32_t version = mmio_read32(LAPIC + APIC_VERSION);

	fresh();
	exits64_in[R12] = LAPIC;
	run(0x45, 0x8b, 0x5c, 0x24, APIC_VERSION);      /* mov 30h(%r12),%r11d */
	want[R11] = version;
	check("load from a device");
	fresh();
	exits64_in[R12] = LAPIC;
	run(0x4d, 0x0f, 0xb6, 0x7c, 0x24, APIC_VERSION); /* movzbq 30h(%r12),%r15 */
	want[R15] = version & 0xff;
	check("MOVZX from a device");
	fresh();
	exits64_in[R13] = LAPIC;
	exits64_in[R14] = 0xffffffff00000040ull;
	run(0x45, 0x89, 0xb5, APIC_TPR, 0, 0, 0, 0x45, 0x31, 0xb5, APIC_TPR, 0, 0, 0); /* mov, then xor %r14d,80h(%r13) */
	want[RFLAGS] = 0x46;
	exits64_out[RFLAGS] &= ~0x10ull;                /* AF is not defined */
	check("store and XOR on a device");
	equal("XOR on a device", "register", mmio_read32(LAPIC + APIC_TPR), 0);
}

static void hypercall(void)
{
	fresh();
	exits64_in[RAX] = __HYPERVISOR_xen_version;
	exits64_in[RDI] = XENVER_version;
	run(0x0f, 0x01, intel() ? 0xc1 : 0xd9);
	want[RAX] = 0x00040011;
	check("hypercall");
	fresh();
	exits64_in[RAX] = 63;
	run(0x0f, 0x01, intel() ? 0xc1 : 0xd9);
	want[RAX] = (uint64_t)-38;                      /* ENOSYS */
	check("hypercall that is none");
}

static void exceptions(void)
{
	uint32_t cr2;

	fresh();
	run(0x0f, 0x0b);
	check_event("UD2", UD, 0, 0);
	fresh();
	exits64_in[RBX] = NO_ADDRESS;
	run(0x48, 0x8b, 0x03);
	check_event("load, address not canonical", GP, 0, 0);
	fresh();
	exits64_in[RSI] = UNMAPPED;
	run(0x8a, 0x06);
	check_event("load, page absent", PF, 0, 0);
	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	equal("load, page absent", "CR2", cr2, (uint32_t)UNMAPPED);
	fresh();
	exits64_in[RDI] = UNMAPPED;
	exits64_in[RDX] = PIC_MASK;
	run(0x6c);
	check_event("INSB, page absent", PF, 2, 0);
	fresh();
	exits64_in[R14] = LAPIC;
	run(0x41, 0x0f, 0x01, 0x3e, 0x0f, 0x09, 0xf3, 0x90);
	check("INVLPG, WBINVD, PAUSE");
}

static void interrupts(void)
{
	mmio_write32(LAPIC + APIC_DIVIDE, 0xb);
	mmio_write32(LAPIC + APIC_LVT, TIMER);
	fresh();
	mmio_write32(LAPIC + APIC_INITIAL, TIMER_SHORT);
	run(0xfb, 0xf4, 0x90);
	want[RFLAGS] |= EFLAGS_IF;
	check_event("HLT until the timer", TIMER, 0, 2);
	mmio_write32(LAPIC + APIC_LVT, 0x10000);
	fresh();
	mmio_write32(LAPIC + APIC_ICR, APIC_SELF | LOW);
	run(0xfb, 0x90, 0x90);
	want[RFLAGS] |= EFLAGS_IF;
	check_event("STI, one instruction, interrupt", LOW, 0, 2);
	/* held back by CR8 until CR8 is lowered: sti; nop; nop; mov %r8,%cr8; nop */
	mmio_write32(LAPIC + APIC_TPR, 0x50);
	fresh();
	mmio_write32(LAPIC + APIC_ICR, APIC_SELF | LOW);
	exits64_in[R8] = 3;
	run(0xfb, 0x90, 0x90, 0x45, 0x0f, 0x22, 0xc0, 0x90);
	want[RFLAGS] |= EFLAGS_IF;
	check_event("interrupt held back by CR8", LOW, 0, 7);
	mmio_write32(LAPIC + APIC_TPR, 0);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	tables();
	mmio_write32(LAPIC + APIC_SPIV, 0x1ff);
	mmio_write32(LAPIC + APIC_TPR, 0);
	cpuid_and_msrs();
	ports();
	control_registers();
	device_memory();
	hypercall();
	exceptions();
	interrupts();
	if (failures != 0) {
		rt_printf("FAIL exits64: %u failures in %u cases\n", failures, cases);
		return 1;
	}
	rt_printf("exits64: %u cases\n", cases);
	rt_puts("exits64: OK\n");
	return 0;
}
