/*
 * Hardware task switches into states that no system would ever make: the hypervisor does them by hand, and the
 * processor looks at the result before it runs it.
 */
#include "tests/guest/hostile/hostile.h"

static uint64_t gdt[16] __attribute__((aligned(16)));
static uint32_t tss[64] __attribute__((aligned(256)));

/* The selector of a segment that works, mostly; else any of a table of random ones, or of nothing. */
static uint32_t any_selector(uint32_t good)
{
	switch (below(4)) {
	case 0:
		return below(16) << 3 | below(4);
	case 1:
		return below(8) ? good : any32() & 0xffff;
	default:
		return good;
	}
}

static uint32_t any_flags(bool gentle)
{
	uint32_t flags = below(2) ? 2 : any32();
	return gentle ? (flags & 0x54cd5) | 2 : flags;
}

/* Put descriptors of every type into the table, with this program's own and a task at the places that are used. */
static void make_gdt(void)
{
	uint32_t base = (uint32_t)(uintptr_t)tss;
	uint64_t limit = below(40) ? 0x67 : any32() & 0xfffff;

	for (unsigned int i = 4; i < ARRAY_SIZE(gdt); i++) {
		gdt[i] = (((uint64_t)any32() << 32 | any32()) & 0xff000000ffffffff) | (uint64_t)(any32() & 0xfffff) << 32;
		gdt[i] |= below(4) ? 0x800000000000 : 0;
	}
	gdt[1] = 0x00cf9b000000ffffull;
	gdt[2] = 0x00cf93000000ffffull;
	gdt[3] = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | 0x890000000000 | (limit & 0xf0000) << 32 |
		 (uint64_t)(base & 0xff000000) << 32;
}

/*
 * A task switch into a state that no system would ever make: the processor must find fault with it, or run it. The new
 * task begins where an operation ends.
 */
void hostile_task(bool gentle)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) pointer = { sizeof(gdt) - 1, (uint32_t)(uintptr_t)gdt };
	uint32_t cr3;

	make_gdt();
	__asm__ volatile("lgdt %1; mov %%cr3, %0" : "=r"(cr3) : "m"(pointer) : "memory");
	memset(tss, 0, sizeof(tss));
	tss[1] = tss[3] = tss[5] = tss[14] = hostile_esp;
	tss[2] = tss[4] = tss[6] = 0x10;
	tss[7] = gentle || below(100) ? cr3 : any32();
	tss[8] = gentle || below(100) ? (uint32_t)(uintptr_t)hostile_failed : any32();
	tss[9] = any_flags(gentle);
	for (unsigned int i = 18; i < 24; i++) {
		tss[i] = any_selector(0x10);
	}
	tss[19] = gentle ? CODE_SELECTOR : any_selector(CODE_SELECTOR);
	tss[20] = gentle ? 0x10 : tss[20];
	tss[24] = gentle || below(4) ? 0 : any_selector(0);
	tss[25] = any32();
	if (below(2)) {
		__asm__ volatile("sti; ljmp $0x18, $0" : : : "memory");
	} else if (below(2)) {
		__asm__ volatile("mov %%ss, %%eax; mov %%eax, %%ss; ljmp $0x18, $0" : : : "eax", "memory");
	} else {
		__asm__ volatile("ljmp $0x18, $0" : : : "memory");
	}
}
