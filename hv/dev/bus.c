/* Sorted ranges with binary search. */
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/nospec.h"
#include "dev/bus.h"

/* Index of the first range that ends at or after addr. */
static unsigned int position(const struct bus *b, uint64_t addr)
{
	unsigned int low = 0, high = b->count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (b->range[middle].last < addr) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void index_low(struct bus *b)
{
	memset(b->low, 0, sizeof(b->low));
	for (unsigned int i = 0; i < b->count; i++) {
		for (uint64_t a = b->range[i].first; a <= b->range[i].last && a < BUS_LOW; a++) {
			b->low[a] = (uint8_t)(i + 1);
		}
	}
}

int bus_add(struct bus *b, uint64_t first, uint64_t last, bus_fn fn, void *dev)
{
	unsigned int i = position(b, first);

	if (fn == NULL || first > last) {
		return -EINVAL;
	}
	if (i < b->count && b->range[i].first <= last) {
		return -EEXIST;
	}
	if (b->count == BUS_RANGES) {
		return -ENOSPC;
	}
	memmove(&b->range[i + 1], &b->range[i], (b->count - i) * sizeof(b->range[0]));
	b->range[i] = (struct bus_range){ .first = first, .last = last, .fn = fn, .dev = dev };
	b->count++;
	index_low(b);
	return 0;
}

const struct bus_range *bus_find(const struct bus *b, uint64_t addr)
{
	if (addr < BUS_LOW) {
		unsigned int number = b->low[nospec_index_pow2(addr, BUS_LOW)];

		return number != 0 ? &b->range[number - 1] : NULL;
	}
	unsigned int i = position(b, addr);

	return i < b->count && b->range[i].first <= addr ? &b->range[i] : NULL;
}

void bus_init(struct bus *b)
{
	memset(b, 0, sizeof(*b));
}
