/* Arithmetic of dividing the machine's RAM (pure; see core/memlayout.h for the result). */
#ifndef ARCH_BOOT_MEMPLAN_H
#define ARCH_BOOT_MEMPLAN_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/bootinfo.h"
#include "lib/rangeset.h"

/* All whole pages of RAM in the map, as byte ranges. Returns the number of bytes. */
uint64_t memplan_ram(const struct bootinfo *b, struct rangeset *ram);
/* The highest stretch of `size` bytes in the set that ends at or below `limit`; false: none. */
bool memplan_find(const struct rangeset *rs, uint64_t size, uint64_t align, uint64_t limit, uint64_t *addr);
/* How much RAM Dom0 gets: what was asked for (0: half of all, at most 1 GiB), leaving the hypervisor its minimum. */
uint64_t memplan_dom0_size(uint64_t total, uint64_t asked);
/* The address below which `bytes` of RAM lie, rounded up to 2 MiB. */
uint64_t memplan_boundary(const struct rangeset *ram, uint64_t bytes);
/* A page of RAM below 640 KiB for starting CPUs, as high as possible; 0: none. */
uint64_t memplan_trampoline(const struct rangeset *ram);

#endif
