/*
 * Start-up memory (contract in early.h). Owns the set of RAM that nobody uses yet, until all of it is given to the
 * frame allocator. Boot CPU only, no lock.
 */
#include "arch/boot/early.h"
#include "arch/boot/memplan.h"
#include "arch/boot/multiboot.h"
#include "arch/bootinfo.h"
#include "arch/cpu/paging.h"
#include "arch/layout.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/memlayout.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "lib/mem.h"

#define RANGES (BOOT_MEMMAP_MAX + 64)
#define LOW_4G (4ull << 30)

struct bootinfo bootinfo;
struct memlayout memlayout;

extern const char image_start_pa[], image_end_pa[];

static struct range ram_storage[RANGES], free_storage[RANGES];
static struct rangeset ram;             /* all RAM, whole pages */
static struct rangeset free_ram;        /* not used by anything so far */
static uint64_t ram_total;
static uint64_t mapped_limit = LOW_4G;  /* end of the direct map so far */
static bool allocator_runs;

static const void *low_memory(void *ctx, uint64_t addr, size_t len)
{
	return addr + len <= LOW_4G ? hpa_virt(HPA(addr)) : NULL;
}

/* The memory types the hypervisor writes to the console. */
static const char *type_name(uint32_t type)
{
	static const char *const names[] = { "?", "RAM", "reserved", "ACPI", "ACPI NVS", "unusable" };

	return type < ARRAY_SIZE(names) ? names[type] : "other";
}

void early_parse(uint32_t magic, uint32_t info)
{
	const uint32_t *mb2 = hpa_virt(HPA(info));
	int rc;

	switch (magic) {
	case MULTIBOOT2_LOADER:
		rc = multiboot2_parse(mb2, *mb2, &bootinfo);
		break;
	case MULTIBOOT1_LOADER:
		rc = multiboot1_parse(info, low_memory, NULL, &bootinfo);
		break;
	default:
		panic("not started by a multiboot loader (magic %x)", magic);
	}
	if (rc) {
		panic("the boot loader's information is broken or too much (%d)", rc);
	}
}

static void take(uint64_t start, uint64_t end)
{
	if (end > start && rangeset_remove(&free_ram, start, end - 1)) {
		panic("memory map too fragmented");
	}
}

uint64_t early_alloc(uint64_t size, uint64_t align)
{
	uint64_t addr;

	size = ALIGN_UP(size, (uint64_t)PAGE_SIZE);
	if (allocator_runs) {
		struct page *p = size == PAGE_SIZE ? page_alloc(0) : NULL;

		BUG_ON(!p);
		return page_mfn(p).v << PAGE_SHIFT;
	}
	if (!memplan_find(&free_ram, size, align, mapped_limit, &addr)) {
		panic("no memory for %lu KiB at start-up", size >> 10);
	}
	take(addr, addr + size);
	memset(hpa_virt(HPA(addr)), 0, size);
	return addr;
}

static void find_ram(void)
{
	rangeset_init(&ram, ram_storage, RANGES);
	rangeset_init(&free_ram, free_storage, RANGES);
	log_info("memory map:");
	for (unsigned int i = 0; i < bootinfo.regions; i++) {
		const struct boot_region *r = &bootinfo.map[i];

		log_info("  %012lx-%012lx %s", r->start, r->start + r->size - 1, type_name(r->type));
	}
	ram_total = memplan_ram(&bootinfo, &ram);
	memplan_ram(&bootinfo, &free_ram);
	memlayout.hv_start = (uint64_t)image_start_pa;
	memlayout.hv_end = (uint64_t)image_end_pa;
	memlayout.trampoline = memplan_trampoline(&ram);
	if (!rangeset_contains(&ram, memlayout.hv_start, memlayout.hv_end - 1) || !memlayout.trampoline) {
		panic("no RAM at 2 MiB or below 640 KiB");
	}
	/* Below 1 MiB is Dom0's business, but for the trampoline. */
	take(0, 1 << 20);
	take(memlayout.hv_start, memlayout.hv_end);
	for (unsigned int i = 0; i < bootinfo.modules; i++) {
		const struct boot_module *m = &bootinfo.module[i];

		take(ALIGN_DOWN(m->start.v, PAGE_SIZE), ALIGN_UP(m->start.v + m->size, PAGE_SIZE));
	}
}

/*
 * Dom0's kernel is loaded low, where the loader put the modules: move them to the top of RAM, below 4 GiB first
 * because nothing large is needed there later.
 */
static void move_module(unsigned int i)
{
	struct boot_module *m = &bootinfo.module[i];
	uint64_t old = ALIGN_DOWN(m->start.v, PAGE_SIZE), size, addr;

	size = ALIGN_UP(m->start.v + m->size, PAGE_SIZE) - old;
	if (size == 0 || (!memplan_find(&free_ram, size, PAGE_SIZE, LOW_4G, &addr) &&
			  !memplan_find(&free_ram, size, PAGE_SIZE, mapped_limit, &addr))) {
		log_warn("module %u stays at %lx: no other place", i, m->start.v);
		return;
	}
	if (addr > old) {
		take(addr, addr + size);
		memcpy(hpa_virt(HPA(addr)), hpa_virt(HPA(old)), size);
		m->start = HPA(addr + (m->start.v - old));
		BUG_ON(rangeset_insert(&free_ram, old, old + size - 1));
	}
	log_info("module %u: %lu KiB at %lx: %s", i, m->size >> 10, m->start.v, m->cmdline);
}

/* Dom0's RAM: everything below the boundary that nobody else uses; low memory as a whole. */
static void plan_dom0(void)
{
	uint64_t size = memplan_dom0_size(ram_total, cmdline.dom0_mem);

	memlayout.dom0_end = memplan_boundary(&ram, size);
	rangeset_init(&memlayout.dom0_ram, memlayout.dom0_storage, MEMLAYOUT_RANGES);
	for (unsigned int i = 0; i < ram.count; i++) {
		const struct range *r = &ram.range[i];

		if (r->first < 1 << 20) {
			BUG_ON(rangeset_insert(&memlayout.dom0_ram, r->first, MIN(r->last, (1u << 20) - 1)));
		}
	}
	BUG_ON(rangeset_remove(&memlayout.dom0_ram, memlayout.trampoline, memlayout.trampoline + PAGE_SIZE - 1));
	for (unsigned int i = 0; i < free_ram.count; i++) {
		const struct range *r = &free_ram.range[i];

		if (r->first < memlayout.dom0_end &&
		    rangeset_insert(&memlayout.dom0_ram, r->first, MIN(r->last, memlayout.dom0_end - 1))) {
			panic("Dom0's memory is too fragmented");
		}
	}
	take(0, memlayout.dom0_end);
	for (unsigned int i = 0; i < memlayout.dom0_ram.count; i++) {
		const struct range *r = &memlayout.dom0_ram.range[i];

		memlayout.dom0_bytes += r->last - r->first + 1;
	}
}

void early_memory(void)
{
	uint64_t array, frames;

	find_ram();
	paging_init();
	mapped_limit = MIN(ram.range[ram.count - 1].last + 1, DIRECT_SIZE);
	for (unsigned int i = 0; i < bootinfo.modules; i++) {
		move_module(i);
	}
	frames = mapped_limit >> PAGE_SHIFT;
	array = early_alloc(page_array_bytes(frames), PAGE_SIZE);
	plan_dom0();
	page_init(hpa_virt(HPA(array)), frames, &ram);
	for (unsigned int i = 0; i < free_ram.count; i++) {
		const struct range *r = &free_ram.range[i];

		page_add_free(hpa_to_mfn(HPA(r->first)), (r->last - r->first + 1) >> PAGE_SHIFT);
	}
	allocator_runs = true;
	log_info("memory: %lu MiB RAM, Dom0 %lu MiB below %lx, hypervisor image %lu KiB, free %lu MiB",
		 ram_total >> 20, memlayout.dom0_bytes >> 20, memlayout.dom0_end,
		 (memlayout.hv_end - memlayout.hv_start) >> 10, page_count_free() >> 8);
}

void memlayout_release_module(unsigned int i)
{
	struct boot_module *m = &bootinfo.module[i];
	uint64_t first = ALIGN_DOWN(m->start.v, PAGE_SIZE), end = ALIGN_UP(m->start.v + m->size, PAGE_SIZE);

	if (i >= bootinfo.modules || m->size == 0) {
		return;
	}
	page_add_free(hpa_to_mfn(HPA(first)), (end - first) >> PAGE_SHIFT);
	m->size = 0;
}
