/*
 * Guest RAM and new pages in the hole below 4 GiB.
 *
 * Owns: the toolstack's hvm_info_table (which it updates as RAM is taken or moved), and three
 * areas: ACPI tables, dynamic, scratch. Pages are asked of the hypervisor one by one; when the
 * domain may have no more, the topmost page of RAM is moved to the place.
 */
#include "hvmloader/memory.h"

#include "hvmloader/hypercall.h"
#include "hvmloader/layout.h"
#include "hvmloader/util.h"

#define GIB4_PAGES     0x100000u
#define MOVE_AT_ONCE   0xffffu

/* An area that grows upwards. next: first free byte; backed: first byte without a page. */
struct area {
	const char *name;
	uint32_t next, backed, end;
};

static struct hvm_info_table *info;
static struct area acpi_area = { "ACPI tables", LAYOUT_ACPI, LAYOUT_ACPI, LAYOUT_ACPI_END };
static struct area reserved_area = { "reserved memory", LAYOUT_RESERVED, LAYOUT_RESERVED,
				     LAYOUT_RESERVED_END };
static struct area scratch_area = { "scratch memory", LAYOUT_SCRATCH, LAYOUT_SCRATCH_END,
				    LAYOUT_SCRATCH_END };
static uint32_t hole_top = LAYOUT_RESERVED_END;

void memory_init(void)
{
	info = at_phys(LAYOUT_HVM_INFO);
	if (memcmp(info->signature, "HVM INFO", 8) != 0 || info->length < sizeof(*info) ||
	    info->length > LAYOUT_LOW_END - LAYOUT_HVM_INFO || mem_sum(info, info->length) != 0) {
		fatal("no valid HVM info table at %05x", LAYOUT_HVM_INFO);
	}
	if (info->nr_vcpus == 0 || info->nr_vcpus > HVM_MAX_VCPUS) {
		fatal("HVM info table: %u processors", info->nr_vcpus);
	}
	if (info->low_mem_pgend > GIB4_PAGES) {
		fatal("HVM info table: low memory ends at frame %x", info->low_mem_pgend);
	}
}

const struct hvm_info_table *memory_info(void)
{
	return info;
}

uint64_t memory_low_end(void)
{
	return (uint64_t)info->low_mem_pgend << PAGE_SHIFT;
}

uint64_t memory_high_end(void)
{
	return (uint64_t)info->high_mem_pgend << PAGE_SHIFT;
}

void memory_move_low(uint64_t bytes)
{
	uint32_t left = (uint32_t)(bytes >> PAGE_SHIFT);

	if (left > 0) {
		print("moving %llu MiB of memory out of the PCI window\n", bytes >> 20);
	}
	while (left > 0) {
		uint32_t n = left < MOVE_AT_ONCE ? left : MOVE_AT_ONCE;

		if (info->high_mem_pgend == 0) {
			info->high_mem_pgend = GIB4_PAGES;
		}
		if (!hypercall_move_pages(info->low_mem_pgend - n, info->high_mem_pgend,
					  (uint16_t)n)) {
			fatal("cannot move %u pages from frame %x to %x", n,
			      info->low_mem_pgend - n, info->high_mem_pgend);
		}
		info->low_mem_pgend -= n;
		info->high_mem_pgend += n;
		left -= n;
	}
}

/* The last page of RAM goes to the given frame. */
static void steal_page(uint32_t gfn)
{
	uint32_t from;

	if (info->high_mem_pgend > GIB4_PAGES) {
		from = --info->high_mem_pgend;
		if (info->high_mem_pgend == GIB4_PAGES) {
			info->high_mem_pgend = 0;
		}
	} else {
		from = --info->low_mem_pgend;
	}
	if (!hypercall_move_pages(from, gfn, 1)) {
		fatal("no memory for frame %x, and frame %x cannot be moved there", gfn, from);
	}
}

void *memory_fixed(uint32_t phys)
{
	uint32_t gfn = phys >> PAGE_SHIFT;

	if (!hypercall_populate(gfn)) {
		steal_page(gfn);
	}
	memset(at_phys(phys), 0, PAGE_SIZE);
	return at_phys(phys);
}

static void *area_alloc(struct area *a, uint32_t size, uint32_t align)
{
	uint32_t start = (a->next + align - 1) & ~(align - 1);

	if (size > a->end - start || start < a->next || start > a->end) {
		fatal("no room for %u bytes of %s", size, a->name);
	}
	while (a->backed < start + size) {
		(void)memory_fixed(a->backed);
		a->backed += PAGE_SIZE;
	}
	a->next = start + size;
	return at_phys(start);
}

void *memory_reserved(uint32_t size, uint32_t align)
{
	reserved_area.end = hole_top;
	return area_alloc(&reserved_area, size, align);
}

void *memory_scratch(uint32_t size, uint32_t align)
{
	void *p = area_alloc(&scratch_area, size, align);

	memset(p, 0, size);
	return p;
}

void *memory_acpi(void *ctx, uint32_t size, uint32_t align, uint32_t *phys)
{
	void *p = area_alloc(&acpi_area, size, align);

	(void)ctx;
	*phys = (uint32_t)p;
	return p;
}

uint32_t memory_acpi_end(void)
{
	return acpi_area.backed;
}

uint32_t memory_scratch_end(void)
{
	return scratch_area.next;
}

uint32_t memory_hole_gfn(void)
{
	hole_top -= PAGE_SIZE;
	if (hole_top < reserved_area.backed) {
		fatal("no free frame in the hole");
	}
	return hole_top >> PAGE_SHIFT;
}
