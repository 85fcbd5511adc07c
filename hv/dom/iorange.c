/* Sorted disjoint ranges: see iorange.h. */
#include "dom/iorange.h"
#include "lib/err.h"
#include "lib/mem.h"

/* Index of the first range that ends at or after x; s->count when there is none. */
static unsigned int first_ending_at(const struct iorange_set *s, uint64_t x)
{
	unsigned int lo = 0, hi = s->count;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		if (s->range[mid].end < x) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

static void insert(struct iorange_set *s, unsigned int at, struct iorange r)
{
	memmove(&s->range[at + 1], &s->range[at], (s->count - at) * sizeof(r));
	s->range[at] = r;
	s->count++;
}

static void erase(struct iorange_set *s, unsigned int at, unsigned int n)
{
	memmove(&s->range[at], &s->range[at + n], (s->count - at - n) * sizeof(s->range[0]));
	s->count -= n;
}

int iorange_add(struct iorange_set *s, uint64_t start, uint64_t end)
{
	unsigned int at;

	if (start > end) {
		return -EINVAL;
	}
	at = first_ending_at(s, start);
	if (at < s->count && s->range[at].start <= end) {
		return -EEXIST;
	}
	if (s->count == IORANGE_MAX) {
		return -ENOSPC;
	}
	insert(s, at, (struct iorange){ start, end });
	return 0;
}

/* One past the last range that covers [start, end] without a gap; 0: there is a gap. */
static unsigned int covered_until(const struct iorange_set *s, unsigned int at, uint64_t start, uint64_t end)
{
	uint64_t need = start;

	for (; at < s->count && s->range[at].start <= need; at++) {
		if (s->range[at].end >= end) {
			return at + 1;
		}
		need = s->range[at].end + 1;
	}
	return 0;
}

bool iorange_contains(const struct iorange_set *s, uint64_t start, uint64_t end)
{
	return start <= end && covered_until(s, first_ending_at(s, start), start, end) != 0;
}

int iorange_remove(struct iorange_set *s, uint64_t start, uint64_t end)
{
	struct iorange head, tail;
	unsigned int at, until, pieces;

	if (start > end) {
		return -EINVAL;
	}
	at = first_ending_at(s, start);
	until = covered_until(s, at, start, end);
	if (until == 0) {
		return -ENOENT;
	}
	head = s->range[at];
	tail = s->range[until - 1];
	pieces = (head.start < start) + (tail.end > end);
	if (s->count - (until - at) + pieces > IORANGE_MAX) {
		return -ENOSPC;
	}
	erase(s, at, until - at);
	if (tail.end > end) {
		insert(s, at, (struct iorange){ end + 1, tail.end });
	}
	if (head.start < start) {
		insert(s, at, (struct iorange){ head.start, start - 1 });
	}
	return 0;
}
