/*
 * The hypervisor's own page tables (contract in paging.h).
 *
 * The first 4 GiB are in the direct map as a whole: 2 MiB pages, uncached where no memory lies. Above, only
 * RAM is mapped, with 1 GiB pages where they fit. No global pages: a CR3 load flushes everything.
 * (Intel SDM, "4-Level Paging and 5-Level Paging".) Start-up only, so no lock.
 */
#include "arch/boot/early.h"
#include "arch/bootinfo.h"
#include "arch/cpu/paging.h"
#include "arch/hw.h"
#include "arch/layout.h"
#include "arch/machine.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "lib/mem.h"

#define PTE_P     0x001ull
#define PTE_W     0x002ull
#define PTE_UC    0x018ull              /* PWT and PCD: uncached in the reset PAT */
#define PTE_LARGE 0x080ull
#define PTE_NX    (1ull << 63)
#define PTE_ADDR  0x000ffffffffff000ull
#define SIZE_2M   (1ull << 21)
#define SIZE_1G   (1ull << 30)
#define LOW_4G    (4ull << 30)

extern const char image_start[], image_text_end[], image_rodata_end[], image_end[];

static uint64_t root;                   /* const after init */
static bool has_1g;                     /* const after init */

/* Table that the entry points to, made when missing. */
static uint64_t *next_table(uint64_t *entry)
{
	if (!(*entry & PTE_P)) {
		*entry = early_alloc(PAGE_SIZE, PAGE_SIZE) | PTE_P | PTE_W;
	}
	BUG_ON(*entry & PTE_LARGE);
	return hpa_virt(HPA(*entry & PTE_ADDR));
}

/* The entry for a virtual address at a level (1: 4 KiB, 2: 2 MiB, 3: 1 GiB). */
static uint64_t *entry_of(uint64_t virt, unsigned int level)
{
	uint64_t *table = hpa_virt(HPA(root));

	for (unsigned int l = 4; l > level; l--) {
		table = next_table(&table[virt >> (3 + 9 * l) & 511]);
	}
	return &table[virt >> (3 + 9 * level) & 511];
}

static void map_image(const char *from, const char *to, uint64_t flags)
{
	for (uint64_t v = (uint64_t)from; v < (uint64_t)to; v += PAGE_SIZE) {
		*entry_of(v, 1) = (v - IMAGE_VIRT) | PTE_P | flags;
	}
}

/* Is there anything cacheable in [start, end)? */
static bool has_memory(uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < bootinfo.regions; i++) {
		const struct boot_region *r = &bootinfo.map[i];

		if (r->start < end && r->start + r->size > start &&
		    (r->type == E820_RAM || r->type == E820_ACPI || r->type == E820_NVS)) {
			return true;
		}
	}
	return false;
}

static void map_low(void)
{
	for (uint64_t a = 0; a < LOW_4G; a += SIZE_2M) {
		uint64_t cache = has_memory(a, a + SIZE_2M) ? 0 : PTE_UC;

		*entry_of(DIRECT_VIRT + a, 2) = a | PTE_P | PTE_W | PTE_LARGE | PTE_NX | cache;
	}
}

static void map_high(uint64_t start, uint64_t end)
{
	start = ALIGN_DOWN(start, SIZE_2M);
	while (start < end) {
		bool huge = has_1g && start % SIZE_1G == 0 && end - start >= SIZE_1G;

		*entry_of(DIRECT_VIRT + start, huge ? 3 : 2) = start | PTE_P | PTE_W | PTE_LARGE | PTE_NX;
		start += huge ? SIZE_1G : SIZE_2M;
	}
}

void paging_init(void)
{
	struct hw_cpuid_regs r;

	hw_cpuid(0x80000001, 0, &r);
	has_1g = r.edx & BIT(26);
	root = early_alloc(PAGE_SIZE, PAGE_SIZE);
	map_image(image_start, image_text_end, 0);
	map_image(image_text_end, image_rodata_end, PTE_NX);
	map_image(image_rodata_end, image_end, PTE_NX | PTE_W);
	map_low();
	for (unsigned int i = 0; i < bootinfo.regions; i++) {
		const struct boot_region *b = &bootinfo.map[i];
		uint64_t end = b->start + b->size;

		if (b->type == E820_RAM && end > LOW_4G && end <= DIRECT_SIZE) {
			map_high(MAX(b->start, LOW_4G), end);
		}
	}
	hw_write_cr3(root);
}

uint64_t paging_root(void)
{
	return root;
}

volatile void *machine_map_device(uint64_t hpa, uint64_t size)
{
	uint64_t end = hpa + size;

	if (size == 0 || end < hpa || end > DIRECT_SIZE || (end > LOW_4G && has_memory(hpa, end))) {
		return NULL;
	}
	for (uint64_t a = MAX(ALIGN_DOWN(hpa, SIZE_2M), LOW_4G); a < end; a += SIZE_2M) {
		*entry_of(DIRECT_VIRT + a, 2) = a | PTE_P | PTE_W | PTE_LARGE | PTE_NX | PTE_UC;
	}
	return hpa_virt(HPA(hpa));
}

bool machine_addr_mapped(uint64_t addr)
{
	uint64_t hpa = addr - DIRECT_VIRT;

	if (addr >= (uint64_t)image_start && addr < (uint64_t)image_end) {
		return true;
	}
	return addr >= DIRECT_VIRT && hpa < DIRECT_SIZE && has_memory(hpa, hpa + 1);
}
