/*
 * Where the guest's RAM is, and new RAM in the hole below 4 GiB.
 */
#ifndef HVMLOADER_MEMORY_H
#define HVMLOADER_MEMORY_H

#include <stdint.h>

#include <xen/hvm/hvm_info_table.h>

/* Find and check the toolstack's table; ends the guest when it is missing or damaged. */
void memory_init(void);
const struct hvm_info_table *memory_info(void);

/* Ends of RAM in bytes; the high one is 0 when there is none. Both change as pages are taken. */
uint64_t memory_low_end(void);
uint64_t memory_high_end(void);

/* Move the topmost bytes of RAM below 4 GiB to above it; a multiple of the page size. */
void memory_move_low(uint64_t bytes);

/*
 * RAM in the hole, zeroed, for ever. align: a power of two. All end the guest when the area is
 * full. fixed: at this page exactly; reserved: anywhere in the dynamic area; scratch: in low
 * memory that SeaBIOS reads before it reuses it.
 */
void *memory_fixed(uint32_t phys);
void *memory_reserved(uint32_t size, uint32_t align);
void *memory_scratch(uint32_t size, uint32_t align);

/* Allocator for struct acpi_mem, and the page-aligned end of what it gave. */
void *memory_acpi(void *ctx, uint32_t size, uint32_t align, uint32_t *phys);
uint32_t memory_acpi_end(void);
uint32_t memory_scratch_end(void);

/* A frame number in the hole with nothing behind it. */
uint32_t memory_hole_gfn(void);

#endif
