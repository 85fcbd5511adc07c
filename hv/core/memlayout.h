/*
 * Who has which part of the machine's RAM: Dom0's identity-mapped share at the bottom, the hypervisor's
 * above, and the pieces inside Dom0's share that are not Dom0's.
 *
 * Computed once at start-up (arch/boot/early.c); const afterwards. Dom0's builder page_assign()s
 * and maps exactly the ranges of dom0_ram.
 */
#ifndef CORE_MEMLAYOUT_H
#define CORE_MEMLAYOUT_H

#include <stdint.h>
#include "lib/rangeset.h"

#define MEMLAYOUT_RANGES 64

struct memlayout {
	uint64_t dom0_end;              /* Dom0 has RAM only below this physical address */
	uint64_t dom0_bytes;            /* sum of dom0_ram */
	uint64_t hv_start, hv_end;      /* the image, page-aligned: never in Dom0's map */
	uint64_t trampoline;            /* one page below 1 MiB, for starting CPUs: never in Dom0's map */
	struct rangeset dom0_ram;       /* bytes, inclusive ends, page-aligned; PAGE_RESERVED until assigned */
	struct range dom0_storage[MEMLAYOUT_RANGES];
};

extern struct memlayout memlayout;

/* A boot module (bootinfo.module[i]) is no longer needed: its frames go to the allocator. */
void memlayout_release_module(unsigned int i);

#endif
