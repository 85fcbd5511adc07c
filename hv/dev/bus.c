/* Sorted ranges: an index for low addresses, and for the others where to begin. */
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

static void index_ranges(struct bus *b)
{
	for (unsigned int page = 0; page < BUS_PAGES; page++) {
		b->from[page] = (uint8_t)position(b, page * 256ull);
	}
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
	index_ranges(b);
	return 0;
}

const struct bus_range *bus_find_high(const struct bus *b, uint64_t addr)
{
	uint64_t page = addr / 256;
	const struct bus_range *r = &b->range[b->from[page < BUS_PAGES ? nospec_index_pow2(page, BUS_PAGES) : BUS_PAGES - 1]];
	const struct bus_range *end = &b->range[b->count];

	while (r < end && r->last < addr) {
		r++;
	}
	return r < end && r->first <= addr ? r : NULL;
}

void bus_init(struct bus *b)
{
	memset(b, 0, sizeof(*b));
}
