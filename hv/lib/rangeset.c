/* Sorted, merged ranges (contract in rangeset.h). */
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/rangeset.h"

void rangeset_init(struct rangeset *rs, struct range *storage, unsigned int capacity)
{
	*rs = (struct rangeset){ .range = storage, .capacity = capacity };
}

/* Index of the first range that ends at or after n. */
static unsigned int find(const struct rangeset *rs, uint64_t n)
{
	unsigned int lo = 0, hi = rs->count;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (rs->range[mid].last < n) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

/* Replace ranges [at, at + gone) by n new ones; the caller checked the capacity. */
static void splice(struct rangeset *rs, unsigned int at, unsigned int gone, const struct range *with,
		   unsigned int n)
{
	memmove(&rs->range[at + n], &rs->range[at + gone], (rs->count - at - gone) * sizeof(*rs->range));
	for (unsigned int i = 0; i < n; i++) {
		rs->range[at + i] = with[i];
	}
	rs->count = rs->count - gone + n;
}

int rangeset_insert(struct rangeset *rs, uint64_t first, uint64_t last)
{
	struct range merged = { first, last };
	unsigned int at, end;

	if (first > last) {
		return -EINVAL;
	}
	/* Ranges that touch are merged as well. */
	at = find(rs, first ? first - 1 : 0);
	for (end = at; end < rs->count && (last == UINT64_MAX || rs->range[end].first <= last + 1); end++) {
		merged.first = MIN(merged.first, rs->range[end].first);
		merged.last = MAX(merged.last, rs->range[end].last);
	}
	if (end == at && rs->count == rs->capacity) {
		return -ENOSPC;
	}
	splice(rs, at, end - at, &merged, 1);
	return 0;
}

int rangeset_remove(struct rangeset *rs, uint64_t first, uint64_t last)
{
	struct range rest[2];
	unsigned int at, end, n = 0;

	if (first > last) {
		return -EINVAL;
	}
	at = find(rs, first);
	for (end = at; end < rs->count && rs->range[end].first <= last; end++) {
	}
	if (end == at) {
		return 0;
	}
	if (rs->range[at].first < first) {
		rest[n++] = (struct range){ rs->range[at].first, first - 1 };
	}
	if (rs->range[end - 1].last > last) {
		rest[n++] = (struct range){ last + 1, rs->range[end - 1].last };
	}
	if (rs->count - (end - at) + n > rs->capacity) {
		return -ENOSPC;
	}
	splice(rs, at, end - at, rest, n);
	return 0;
}

bool rangeset_contains(const struct rangeset *rs, uint64_t first, uint64_t last)
{
	unsigned int at = find(rs, first);

	return at < rs->count && rs->range[at].first <= first && rs->range[at].last >= last;
}

bool rangeset_overlaps(const struct rangeset *rs, uint64_t first, uint64_t last)
{
	unsigned int at = find(rs, first);

	return at < rs->count && rs->range[at].first <= last;
}
