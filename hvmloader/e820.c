/*
 * The memory map handed to SeaBIOS.
 *
 * Owns the rule what is where: our own fixed regions win, the toolstack's entries fill what is
 * left. Pure: no globals, no machine. Manual: "Advanced Configuration and Power Interface
 * Specification", system address map interfaces.
 */
#include "hvmloader/e820.h"

#include "hvmloader/layout.h"
#include "hvmloader/mem.h"

static uint64_t entry_end(const struct e820_entry *e)
{
	return e->addr + e->size;
}

static bool insert_at(struct e820_map *map, unsigned int at, uint64_t start, uint64_t end,
		      uint32_t type)
{
	if (map->count == E820_MAX) {
		return false;
	}
	memmove(&map->entry[at + 1], &map->entry[at], (map->count - at) * sizeof(map->entry[0]));
	map->entry[at] = (struct e820_entry){ .addr = start, .size = end - start, .type = type };
	map->count++;
	return true;
}

static void remove_at(struct e820_map *map, unsigned int at)
{
	map->count--;
	memmove(&map->entry[at], &map->entry[at + 1],
		(map->count - at) * sizeof(map->entry[0]));
}

static void merge_neighbours(struct e820_map *map)
{
	unsigned int i = 1;

	while (i < map->count) {
		struct e820_entry *before = &map->entry[i - 1], *e = &map->entry[i];

		if (before->type == e->type && entry_end(before) == e->addr) {
			before->size += e->size;
			remove_at(map, i);
		} else {
			i++;
		}
	}
}

bool e820_add(struct e820_map *map, uint64_t start, uint64_t end, uint32_t type)
{
	unsigned int i = 0;

	/* Walk the sorted entries and fill each gap that the range covers. */
	while (start < end) {
		uint64_t stop;

		if (i == map->count) {
			if (!insert_at(map, i, start, end, type)) {
				return false;
			}
			break;
		}
		stop = map->entry[i].addr < end ? map->entry[i].addr : end;
		if (start < stop) {
			if (!insert_at(map, i, start, stop, type)) {
				return false;
			}
			i++;
			start = stop;
			continue;
		}
		if (entry_end(&map->entry[i]) > start) {
			start = entry_end(&map->entry[i]);
		}
		i++;
	}
	merge_neighbours(map);
	return true;
}

/* A toolstack RAM entry counts only as far as the RAM is still there. */
static bool add_given_ram(struct e820_map *map, const struct e820_world *w, uint64_t start,
			  uint64_t end)
{
	uint64_t low_end = end < w->low_ram_end ? end : w->low_ram_end;
	uint64_t high_start = start > GIB4 ? start : GIB4;
	uint64_t high_end = end < w->high_ram_end ? end : w->high_ram_end;

	if (start < LAYOUT_BIOS_END) {
		start = LAYOUT_BIOS_END;
	}
	return e820_add(map, start, low_end, E820_RAM) &&
	       e820_add(map, high_start, high_end, E820_RAM);
}

static bool add_given_one(struct e820_map *map, const struct e820_world *w,
			  const struct e820_entry *given)
{
	uint64_t start = given->addr, end = start + given->size;

	if (end < start) {
		return true;
	}
	if (given->type == E820_RAM) {
		return add_given_ram(map, w, start, end);
	}
	return e820_add(map, start > LAYOUT_BIOS_END ? start : LAYOUT_BIOS_END, end, given->type);
}

/* Other entries of the toolstack may lie inside its RAM entries: they go first. */
static bool add_given(struct e820_map *map, const struct e820_world *w)
{
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (unsigned int i = 0; i < w->given_count; i++) {
			if ((w->given[i].type == E820_RAM) == (pass == 1) &&
			    !add_given_one(map, w, &w->given[i])) {
				return false;
			}
		}
	}
	return true;
}

bool e820_build(struct e820_map *map, const struct e820_world *w)
{
	map->count = 0;
	return e820_add(map, 0, LAYOUT_LOW_END, E820_RAM) &&
	       e820_add(map, w->bios_start, LAYOUT_BIOS_END, E820_RESERVED) &&
	       e820_add(map, LAYOUT_ACPI_INFO, w->acpi_end, E820_NVS) &&
	       e820_add(map, w->acpi_end, GIB4, E820_RESERVED) && add_given(map, w) &&
	       /* RAM that moved above 4 GiB is in nobody's map yet. */
	       e820_add(map, GIB4, w->high_ram_end, E820_RAM);
}

const struct e820_entry *e820_find(const struct e820_entry *entry, unsigned int count,
				   uint32_t type, uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < count; i++) {
		if (entry[i].type == type && entry[i].addr < end && entry_end(&entry[i]) > start) {
			return &entry[i];
		}
	}
	return NULL;
}

const char *e820_type_name(uint32_t type)
{
	static const char *const names[] = {
		[E820_RAM] = "RAM",	  [E820_RESERVED] = "reserved", [E820_ACPI] = "ACPI data",
		[E820_NVS] = "ACPI NVS", [E820_UNUSABLE] = "unusable",
	};

	if (type >= sizeof(names) / sizeof(names[0]) || names[type] == NULL) {
		return "unknown type";
	}
	return names[type];
}
