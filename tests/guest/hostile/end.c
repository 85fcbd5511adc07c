/*
 * The ways in which the hostile guest ends: each leaves the processor in a state that nothing can come back from, or
 * that no system would ever make.
 */
#include "tests/guest/hostile/hostile.h"

#define HOLE 0xe0000000u

static void set_idt(uint32_t base, uint16_t limit)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { limit, base };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

static void end_triple(void)
{
	set_idt(0, 0);
	__asm__ volatile("int3");
}

static void end_idt_in_hole(void)
{
	set_idt(HOLE, 0x7ff);
	__asm__ volatile("int $0x80");
}

static void jump(uint32_t to)
{
	((void (*)(void))(uintptr_t)to)();
}

static void end_hole(void)
{
	jump(HOLE);
}

static void end_vga(void)
{
	jump(0xa0000);
}

static void end_apic(void)
{
	jump(APIC_BASE + 0x20);
}

static void end_tables(void)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(HOLE) : "memory");
	jump(0x500000);
}

static void end_tables_in_device(void)
{
	hostile_pdpt[0] = APIC_BASE | 1;
	__asm__ volatile("mov %0, %%cr3" : : "r"(hostile_pdpt) : "memory");
	jump(0x500000);
}

static void end_stack(void)
{
	__asm__ volatile("mov $0xe0000100, %esp; push %eax; pop %eax; call 1f; 1: ret");
}

static void end_gdt(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { 0xffff, HOLE };

	__asm__ volatile("lgdt %0; mov %1, %%ds" : : "m"(pointer), "r"(0x10) : "memory");
}

static void end_task(void)
{
	/* a task gate whose TSS lies in a hole: a descriptor in the hostile_scratch page, the table made to start there */
	uint64_t *gdt = (uint64_t *)hostile_scratch;
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { 0xfff, (uint32_t)(uintptr_t)hostile_scratch };

	gdt[1] = 0x00cf9b000000ffffull;
	gdt[2] = 0x00cf93000000ffffull;
	gdt[3] = 0xe000890000000067ull;
	__asm__ volatile("lgdt %0; ljmp $0x18, $0" : : "m"(pointer) : "memory");
}

static void end_real(void)
{
	uint32_t cr0;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0; .byte 0xea, 0, 0, 0, 0, 0xf0, 0xff" : : "r"(cr0 & ~(CR0_PE | CR0_PG)) : "memory");
}

static void end_halt(void)
{
	__asm__ volatile("cli; hlt");
}

static void end_init(void)
{
	mmio_write32(APIC_BASE + 0xf0, 0x1ff);
	mmio_write32(APIC_BASE + APIC_ICR, 0x40000 | 0x4000 | 0x500);
}

/* Random bytes as instructions, for as long as it lasts. */
static void end_wild(void)
{
	for (unsigned int i = 0; i < sizeof(hostile_scratch) / 4; i++) {
		((uint32_t *)hostile_scratch)[i] = hostile_random();
	}
	jump((uint32_t)(uintptr_t)hostile_scratch);
}

static const struct {
	const char *name;
	void (*end)(void);
} ends[] = {
	{ "triple", end_triple }, { "idt", end_idt_in_hole }, { "hole", end_hole },   { "vga", end_vga },
	{ "apic", end_apic },     { "tables", end_tables },   { "stack", end_stack }, { "gdt", end_gdt },
	{ "task", end_task },     { "real", end_real },       { "halt", end_halt },   { "init", end_init },
	{ "wild", end_wild },     { "all", hostile_all },         { "walk", end_tables_in_device },
	{ "switch", hostile_switch },
};

void hostile_end(const char *name)
{
	for (unsigned int i = 0; name != NULL && i < ARRAY_SIZE(ends); i++) {
		if (memcmp(name, ends[i].name, strlen(ends[i].name)) == 0) {
			rt_printf("hostile: end %s\n", ends[i].name);
			(void)hostile_try(ends[i].end);
		}
	}
}
