/*
 * Address to device: sorted ranges of one address space (ports, or MMIO) of one virtual machine.
 *
 * Filled while the machine is built, only read afterwards; then it needs no lock.
 */
#ifndef DEV_BUS_H
#define DEV_BUS_H

#include "dev/vdev.h"

#define BUS_RANGES 32

typedef enum io_result (*bus_fn)(void *dev, struct io_access *a);

struct bus_range {
	uint64_t first, last;           /* both included */
	bus_fn fn;
	void *dev;
};

#define BUS_LOW 256                     /* addresses found by index: most ports of a PC */

struct bus {
	unsigned int count;
	uint8_t low[BUS_LOW];                   /* number of the range + 1, 0: none */
	struct bus_range range[BUS_RANGES];     /* ascending, disjoint */
};

void bus_init(struct bus *b);
/* -EINVAL: no function, or first > last; -EEXIST: overlaps another range; -ENOSPC: full. */
int bus_add(struct bus *b, uint64_t first, uint64_t last, bus_fn fn, void *dev);
/* The range that contains addr, or NULL. Where an access ends is the device's business. */
const struct bus_range *bus_find(const struct bus *b, uint64_t addr);

#endif
