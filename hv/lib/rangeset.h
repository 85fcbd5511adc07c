/*
 * Sorted, merged sets of numbers as inclusive ranges [first, last]: I/O ports, frames, addresses. Pure.
 *
 * Storage is the caller's, of fixed capacity; a change that does not fit is refused and changes nothing.
 * No lock.
 */
#ifndef LIB_RANGESET_H
#define LIB_RANGESET_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/util.h"

struct range {
	uint64_t first, last;
};

struct rangeset {
	struct range *range;            /* sorted, not touching each other */
	unsigned int count, capacity;
};

void rangeset_init(struct rangeset *rs, struct range *storage, unsigned int capacity);
/* -EINVAL: first > last. -ENOSPC: no room for one more range. */
int rangeset_insert(struct rangeset *rs, uint64_t first, uint64_t last) MUST_CHECK;
/* Parts that are not in the set do not matter. */
int rangeset_remove(struct rangeset *rs, uint64_t first, uint64_t last) MUST_CHECK;
/* Every number of [first, last] is in the set. */
bool rangeset_contains(const struct rangeset *rs, uint64_t first, uint64_t last);
/* Some number of [first, last] is in the set. */
bool rangeset_overlaps(const struct rangeset *rs, uint64_t first, uint64_t last);

#endif
