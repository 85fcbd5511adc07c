/*
 * The memory map handed to SeaBIOS: sorted, without overlap. Pure.
 */
#ifndef HVMLOADER_E820_H
#define HVMLOADER_E820_H

#include <stdbool.h>
#include <stdint.h>

enum { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_UNUSABLE = 5 };

#define E820_MAX 128

struct e820_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

struct e820_map {
	unsigned int count;
	struct e820_entry entry[E820_MAX];
};

/* What the map is made of; addresses are exclusive ends. */
struct e820_world {
	const struct e820_entry *given; /* the toolstack's map */
	unsigned int given_count;
	uint32_t bios_start;            /* the BIOS image ends at 1 MiB */
	uint32_t acpi_end;              /* page-aligned end of the ACPI tables */
	uint64_t low_ram_end;           /* RAM below 4 GiB, after what we took of it */
	uint64_t high_ram_end;          /* RAM above 4 GiB; 0 or 4 GiB: none */
};

/*
 * Add [start, end) where nothing is yet; neighbours of the same type are merged. False: map full.
 * An empty range is no error.
 */
bool e820_add(struct e820_map *map, uint64_t start, uint64_t end, uint32_t type);

/* Build the map; false when it does not fit into E820_MAX entries. */
bool e820_build(struct e820_map *map, const struct e820_world *world);

/* First entry of the type that reaches into [start, end), or NULL. */
const struct e820_entry *e820_find(const struct e820_entry *entry, unsigned int count,
				   uint32_t type, uint64_t start, uint64_t end);

const char *e820_type_name(uint32_t type);

#endif
