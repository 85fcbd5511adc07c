/*
 * The hypervisor's own page tables: the image (code read-only, data not executable) and the direct map.
 * Built once by the boot CPU; device pages may be added during start-up.
 */
#ifndef ARCH_CPU_PAGING_H
#define ARCH_CPU_PAGING_H

#include <stdint.h>

/* Build the final tables over the whole of RAM and switch to them. Needs early_alloc(). */
void paging_init(void);
/* The table other CPUs load. */
uint64_t paging_root(void);

#endif
