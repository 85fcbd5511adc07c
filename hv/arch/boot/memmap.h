/* The memory map of bootinfo: collected in any order, then sorted and made free of overlaps. Pure. */
#ifndef ARCH_BOOT_MEMMAP_H
#define ARCH_BOOT_MEMMAP_H

#include "arch/bootinfo.h"

/* Add as found. Entries that are empty or wrap around are dropped; false: no room. */
bool memmap_add(struct bootinfo *b, uint64_t start, uint64_t size, uint32_t type);
/* Sort; where entries overlap the more restrictive type wins; neighbours of one type are merged. */
void memmap_finish(struct bootinfo *b);

#endif
