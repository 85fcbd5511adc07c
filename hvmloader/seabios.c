/*
 * The SeaBIOS image and what it is told.
 *
 * Owns: memory from the image's start to 1 MiB, the hand-over block at LAYOUT_SEABIOS_INFO. Without
 * a valid block SeaBIOS takes the machine for a plain QEMU and sets up PCI itself, and fails.
 */
#include "hvmloader/seabios.h"

#include "hvmloader/layout.h"
#include "hvmloader/memory.h"
#include "hvmloader/util.h"

struct seabios_info {
	char signature[14];
	uint8_t length, checksum;
	uint32_t tables, tables_count, e820, e820_count;
} __attribute__((packed));

_Static_assert(sizeof(struct seabios_info) == 32, "hand-over block");

extern const uint8_t handover_code[], handover_code_end[];
extern uint8_t __image_end[];

static const struct hvm_modlist_entry *find_module(const struct hvm_start_info *start,
						   const char *name)
{
	const struct hvm_modlist_entry *m = at_phys((uint32_t)start->modlist_paddr);

	if (start->modlist_paddr == 0) {
		return NULL;
	}
	for (uint32_t i = 0; i < start->nr_modules; i++) {
		if (m[i].cmdline_paddr != 0 &&
		    strcmp(at_phys((uint32_t)m[i].cmdline_paddr), name) == 0) {
			return &m[i];
		}
	}
	return NULL;
}

uint32_t seabios_load(const struct hvm_start_info *start)
{
	const struct hvm_modlist_entry *m = find_module(start, "firmware");
	uint32_t base, from, size;

	if (m == NULL) {
		fatal("no module named \"firmware\": the BIOS image is missing");
	}
	if (m->size == 0 || m->size > LAYOUT_BIOS_END - LAYOUT_BIOS_LOWEST ||
	    m->paddr > memory_low_end() - m->size) {
		fatal("BIOS image of %llu bytes at %llx: must be in RAM and at most %u bytes",
		      m->size, m->paddr, LAYOUT_BIOS_END - LAYOUT_BIOS_LOWEST);
	}
	from = (uint32_t)m->paddr;
	size = (uint32_t)m->size;
	if (from < (uint32_t)__image_end && from + size > LAYOUT_FIRMWARE) {
		fatal("the BIOS image at %x overlaps the firmware", from);
	}
	base = LAYOUT_BIOS_END - size;
	memmove(at_phys(base), at_phys(from), size);
	print("SeaBIOS image: %u KiB at %05x\n", size >> 10, base);
	return base;
}

void seabios_handover(const uint32_t *tables, unsigned int count, const struct e820_map *map)
{
	struct seabios_info *info = at_phys(LAYOUT_SEABIOS_INFO);
	uint32_t map_size = map->count * (uint32_t)sizeof(map->entry[0]);
	uint32_t *list = memory_scratch(count * (uint32_t)sizeof(*list), 16);
	void *entries = memory_scratch(map_size, 16);

	memcpy(list, tables, count * sizeof(*list));
	memcpy(entries, map->entry, map_size);
	memset(info, 0, sizeof(*info));
	memcpy(info->signature, "XenHVMSeaBIOS", 14);
	info->length = sizeof(*info);
	info->tables = (uint32_t)list;
	info->tables_count = count;
	info->e820 = (uint32_t)entries;
	info->e820_count = map->count;
	info->checksum = (uint8_t)-mem_sum(info, sizeof(*info));
}

void seabios_enter(void)
{
	void (*enter)(void) = (void (*)(void))LAYOUT_HANDOVER;

	print("starting SeaBIOS at f000:fff0\n");
	memcpy(at_phys(LAYOUT_HANDOVER), handover_code,
	       (size_t)(handover_code_end - handover_code));
	enter();
	__builtin_unreachable();
}
