/*
 * Address to device: sorted ranges of one address space (ports, or MMIO) of one virtual machine.
 *
 * Filled while the machine is built, only read afterwards; then it needs no lock.
 */
#ifndef DEV_BUS_H
#define DEV_BUS_H

#include <stddef.h>
#include "lib/nospec.h"
#include "dev/vdev.h"

#define BUS_RANGES 32

typedef enum io_result (*bus_fn)(void *dev, struct io_access *a);

struct bus_range {
	uint64_t first, last;           /* both included */
	bus_fn fn;
	void *dev;
};

#define BUS_LOW   256                   /* addresses found by index: most ports of a PC */
#define BUS_PAGES 256                   /* of 256 addresses: where to begin looking */

struct bus {
	unsigned int count;
	uint8_t low[BUS_LOW];                   /* number of the range + 1, 0: none */
	uint8_t from[BUS_PAGES];                /* the first range that ends in this page or behind; the last row is for all above */
	struct bus_range range[BUS_RANGES];     /* ascending, disjoint */
};

void bus_init(struct bus *b);
/* -EINVAL: no function, or first > last; -EEXIST: overlaps another range; -ENOSPC: full. */
int bus_add(struct bus *b, uint64_t first, uint64_t last, bus_fn fn, void *dev);
/* bus_find() from BUS_LOW on. */
const struct bus_range *bus_find_high(const struct bus *b, uint64_t addr);

/* The range that contains addr, or NULL. Where an access ends is the device's business. */
static inline const struct bus_range *bus_find(const struct bus *b, uint64_t addr)
{
	if (addr < BUS_LOW) {
		unsigned int number = b->low[nospec_index_pow2(addr, BUS_LOW)];

		return number != 0 ? &b->range[number - 1] : NULL;
	}
	return bus_find_high(b, addr);
}

#endif
