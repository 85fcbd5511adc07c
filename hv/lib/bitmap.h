/* Bitmaps of 64-bit words: ranges and searches. Not atomic (lib/atomic.h has those). Pure. */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline void bitmap_set(uint64_t *map, unsigned int bit)
{
	map[bit / 64] |= 1ull << (bit % 64);
}

static inline void bitmap_clear(uint64_t *map, unsigned int bit)
{
	map[bit / 64] &= ~(1ull << (bit % 64));
}

static inline bool bitmap_test(const uint64_t *map, unsigned int bit)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

/* First set / clear bit at or after `from`; `bits` when there is none. */
unsigned int bitmap_next_set(const uint64_t *map, unsigned int bits, unsigned int from);
unsigned int bitmap_next_clear(const uint64_t *map, unsigned int bits, unsigned int from);
unsigned int bitmap_count(const uint64_t *map, unsigned int bits);

#endif
