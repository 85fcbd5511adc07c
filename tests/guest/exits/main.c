/*
 * Every kind of exit, one instruction at a time, with all registers compared after it: the vendor interface of the
 * hypervisor as a guest sees it. The whole suite runs without paging and with PAE paging, and with several patterns of
 * flags. With the word "triple" on the command line it ends by a triple fault instead.
 */
#include "tests/guest/exits/exits.h"

#define SEGMENTS 6

struct exits_regs exits_in, exits_out, exits_want;
struct rt_frame exits_seen;
unsigned int exits_taken;

static unsigned int failures, cases;
static uint32_t flags_pattern;
static const char *mode;

/* What no instruction changes unless it says so. */
static struct ambient {
	uint16_t seg[SEGMENTS];
	uint32_t cr0, cr3, cr4;
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdt, idt;
	uint16_t tr;
} ambient;

void exits_probe(void);
void exits_probe_user(void);
extern const uint8_t exits_user_back[], exits_hole_end[];

void exits_fail(const char *name, const char *what, uint32_t got, uint32_t want)
{
	failures++;
	rt_printf("FAIL exits, %s, flags %03x: %s: %s is %08x, not %08x\n", mode, flags_pattern, name, what, got, want);
}

void exits_equal(const char *name, const char *what, uint32_t got, uint32_t want)
{
	if (got != want) {
		exits_fail(name, what, got, want);
	}
}

uint32_t exits_cr0(void)
{
	uint32_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

uint32_t exits_cr4(void)
{
	uint32_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static void read_ambient(struct ambient *a)
{
	__asm__ volatile("mov %%es, %0" : "=m"(a->seg[0]));
	__asm__ volatile("mov %%cs, %0" : "=m"(a->seg[1]));
	__asm__ volatile("mov %%ss, %0" : "=m"(a->seg[2]));
	__asm__ volatile("mov %%ds, %0" : "=m"(a->seg[3]));
	__asm__ volatile("mov %%fs, %0" : "=m"(a->seg[4]));
	__asm__ volatile("mov %%gs, %0" : "=m"(a->seg[5]));
	__asm__ volatile("mov %%cr3, %0" : "=r"(a->cr3));
	__asm__ volatile("sgdt %0" : "=m"(a->gdt));
	__asm__ volatile("sidt %0" : "=m"(a->idt));
	__asm__ volatile("str %0" : "=m"(a->tr));
	a->cr0 = exits_cr0();
	a->cr4 = exits_cr4();
}

void exits_new_ambient(void)
{
	read_ambient(&ambient);
}

static void check_ambient(const char *name)
{
	static const char *const segment[SEGMENTS] = { "ES", "CS", "SS", "DS", "FS", "GS" };
	struct ambient now;

	read_ambient(&now);
	for (unsigned int i = 0; i < SEGMENTS; i++) {
		exits_equal(name, segment[i], now.seg[i], ambient.seg[i]);
	}
	exits_equal(name, "CR0", now.cr0, ambient.cr0);
	exits_equal(name, "CR3", now.cr3, ambient.cr3);
	exits_equal(name, "CR4", now.cr4, ambient.cr4);
	exits_equal(name, "GDT base", now.gdt.base, ambient.gdt.base);
	exits_equal(name, "GDT limit", now.gdt.limit, ambient.gdt.limit);
	exits_equal(name, "IDT base", now.idt.base, ambient.idt.base);
	exits_equal(name, "IDT limit", now.idt.limit, ambient.idt.limit);
	exits_equal(name, "TR", now.tr, ambient.tr);
}

void exits_fresh(void)
{
	exits_in = (struct exits_regs){ .eax = 0xa1a2a3a4, .ecx = 0xc1c2c3c4, .edx = 0xd1d2d3d4, .ebx = 0xb1b2b3b4,
					.ebp = 0xe1e2e3e4, .esi = 0x51525354, .edi = 0xf1f2f3f4,
					.eflags = flags_pattern };
}

/* From a handler in ring 3's stead: the rest of the hole is skipped, and what follows stores the registers. */
void exits_on_fault(struct rt_frame *frame)
{
	exits_seen = *frame;
	exits_taken++;
	frame->eip = (uint32_t)(uintptr_t)exits_hole_end;
	frame->eflags &= ~(EFLAGS_TF | EFLAGS_RF);
}

static void on_user_end(struct rt_frame *frame)
{
	frame->eip = (uint32_t)(uintptr_t)exits_user_back;
	frame->cs = KERNEL_CODE;
}

void exits_handle(uint8_t vector, rt_handler handler)
{
	rt_set_handler(vector, handler);
}

void exits_run_bytes(const uint8_t *code, unsigned int length, bool user)
{
	memset(exits_hole, 0x90, sizeof(exits_hole));
	memcpy(exits_hole, code, length);
	exits_taken = 0;
	cases++;
	if (user) {
		exits_probe_user();
	} else {
		exits_probe();
	}
	exits_want = exits_in;
}

void exits_check(const char *name)
{
	static const char *const reg[] = { "EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI", "EFLAGS" };
	const uint32_t *got = &exits_out.eax, *want = &exits_want.eax;

	for (unsigned int i = 0; i < sizeof(reg) / sizeof(reg[0]); i++) {
		exits_equal(name, reg[i], got[i], want[i]);
	}
	exits_equal(name, "count of exceptions", exits_taken, 0);
	exits_taken = 0;
	check_ambient(name);
}

void exits_check_fault(const char *name, uint8_t vector, uint32_t error, uint32_t at)
{
	exits_equal(name, "count of exceptions", exits_taken, 1);
	if (exits_taken != 0) {
		exits_equal(name, "vector", exits_seen.vector, vector);
		exits_equal(name, "error code", exits_seen.error, error);
		exits_equal(name, "EIP", exits_seen.eip, (uint32_t)(uintptr_t)exits_hole + at);
	}
	exits_taken = 0;
	exits_check(name);
}

static void all(void)
{
	static const uint32_t patterns[] = { 0x002, EFLAGS_MATH | 2, EFLAGS_DF | EFLAGS_CF | 2 };

	for (unsigned int i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		flags_pattern = patterns[i];
		exits_new_ambient();
		exits_registers();
		exits_io();
		exits_events();
		exits_tasks();
	}
}

/* PAE paging, one to one: four entries that the processor keeps, 2 MiB pages below them. */
static void with_paging(void)
{
	static uint64_t directory[4][512] __attribute__((aligned(4096)));
	static uint64_t pointers[4] __attribute__((aligned(32)));

	for (uint32_t i = 0; i < 2048; i++) {
		directory[i / 512][i % 512] = (uint64_t)i << 21 | 0x87;
	}
	directory[3][(0xd0000000u >> 21) % 512] = 0;
	for (unsigned int i = 0; i < 4; i++) {
		pointers[i] = (uint32_t)(uintptr_t)directory[i] | 1;
	}
	__asm__ volatile("mov %0, %%cr4" : : "r"(exits_cr4() | CR4_PAE) : "memory");
	__asm__ volatile("mov %0, %%cr3" : : "r"(pointers) : "memory");
	__asm__ volatile("mov %0, %%cr0" : : "r"(exits_cr0() | CR0_PG | CR0_WP) : "memory");
	mode = "PAE paging";
	all();
	__asm__ volatile("mov %0, %%cr0" : : "r"(exits_cr0() & ~(CR0_PG | CR0_WP)) : "memory");
	__asm__ volatile("mov %0, %%cr4" : : "r"(exits_cr4() & ~CR4_PAE) : "memory");
}

static void triple_fault(void)
{
	static const uint8_t none[6];

	rt_puts("exits: triple fault follows\n");
	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static bool wanted(const struct hvm_start_info *info, const char *word)
{
	const char *text = (const char *)(uintptr_t)info->cmdline_paddr;
	size_t length = strlen(word);

	for (; text != NULL && *text != '\0'; text++) {
		if (memcmp(text, word, length) == 0) {
			return true;
		}
	}
	return false;
}

int guest_main(const struct hvm_start_info *info)
{
	if (wanted(info, "triple")) {
		triple_fault();
	}
	exits_tables();
	for (unsigned int vector = 0; vector < 32; vector++) {
		exits_handle((uint8_t)vector, exits_on_fault);
	}
	exits_user_gate();
	exits_handle(0x81, on_user_end);
	apic_put(APIC_SPIV, 0x1ff);
	mode = "no paging";
	all();
	with_paging();
	if (failures != 0) {
		rt_printf("FAIL exits: %u failures in %u cases\n", failures, cases);
		return 1;
	}
	rt_printf("exits: %u cases\n", cases);
	rt_puts("exits: OK\n");
	return 0;
}
