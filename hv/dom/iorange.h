/*
 * A sorted set of at most IORANGE_MAX disjoint ranges of numbers. Pure: no locks, no allocation.
 *
 * Neighbours are not merged: a range is what the device model registered; taking out a part splits it.
 */
#ifndef DOM_IORANGE_H
#define DOM_IORANGE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/util.h"

#define IORANGE_MAX 256

struct iorange { uint64_t start, end; };        /* both included */

struct iorange_set {
	unsigned int count;
	struct iorange range[IORANGE_MAX];
};

/* -EINVAL: start > end. -EEXIST: overlap. -ENOSPC: full. */
int iorange_add(struct iorange_set *s, uint64_t start, uint64_t end) MUST_CHECK;
/* Take out; adjacent ranges count as one. -ENOENT: some of it is not in the set. -ENOSPC: a split has no room. */
int iorange_remove(struct iorange_set *s, uint64_t start, uint64_t end) MUST_CHECK;
/* Is all of it in one range, or in adjacent ones? */
bool iorange_contains(const struct iorange_set *s, uint64_t start, uint64_t end);

#endif
