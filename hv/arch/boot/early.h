/*
 * Start-up memory: from the loader's map to the frame allocator. Boot CPU only, in this order:
 * early_parse, early_memory (direct map complete, modules moved away, layout decided), then page_alloc is usable.
 */
#ifndef ARCH_BOOT_EARLY_H
#define ARCH_BOOT_EARLY_H

#include <stdint.h>

void early_parse(uint32_t magic, uint32_t info);
void early_memory(void);
/* Zeroed frames before the allocator exists, never given back: physical address. Panics when there are none. */
uint64_t early_alloc(uint64_t size, uint64_t align);

#endif
