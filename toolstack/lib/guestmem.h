/*
 * A guest's physical memory as the toolstack sees it: populate, describe, write, seed grants.
 *
 * Addresses are guest-physical; frames are 4 KiB. Result everywhere: 0 or -errno.
 */
#ifndef TOOLSTACK_LIB_GUESTMEM_H
#define TOOLSTACK_LIB_GUESTMEM_H

#include <stddef.h>
#include <stdint.h>

#include "toolstack/lib/hvcall.h"

#define GUESTMEM_PAGE_SHIFT 12
#define GUESTMEM_PAGE_SIZE  4096u

/* A run of RAM frames. */
struct guestmem_run {
	uint64_t gfn;
	uint64_t count;
};

/* e820 as memory_map wants it: 20 bytes, packed. */
struct guestmem_e820 {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

enum guestmem_e820_type {
	GUESTMEM_E820_RAM = 1,
	GUESTMEM_E820_RESERVED = 2,
};

/*
 * Back `run` with memory, in the largest pieces that fit its alignment (1 GiB, 2 MiB, 4 KiB); when
 * the hypervisor has no large piece left, in smaller ones. -ENOMEM when it has none at all.
 */
int guestmem_populate(struct hvcall *hv, uint32_t domid, const struct guestmem_run *run);

/*
 * Pure part of the above: the next piece of a run. `max_order`: 18, 9 or 0. Returns the order for
 * the
 * frame at `gfn` with `left` frames to go, and in `*extents` how many pieces of it follow in a row.
 */
unsigned int guestmem_piece(uint64_t gfn, uint64_t left, unsigned int max_order, uint64_t *extents);

int guestmem_set_map(struct hvcall *hv, uint32_t domid, const struct guestmem_e820 *map,
		     unsigned int nr);

/* Write or clear guest memory that is backed. Any alignment and length. */
int guestmem_write(struct hvcall *hv, uint32_t domid, uint64_t gpa, const void *data, size_t len);
int guestmem_clear(struct hvcall *hv, uint32_t domid, uint64_t gfn, uint64_t count);
int guestmem_read(struct hvcall *hv, uint32_t domid, uint64_t gpa, void *data, size_t len);

/*
 * Let domain `to` map frame `gfn` through grant reference `ref` (version 1 entry) of the guest's
 * table.
 */
int guestmem_grant(struct hvcall *hv, uint32_t domid, uint32_t ref, uint32_t to, uint64_t gfn);

#endif
