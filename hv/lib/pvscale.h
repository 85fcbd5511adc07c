/*
 * Fixed-point scaling of counters as the guest ABI defines it: result = ((x << shift) * mul) >> 32, with a right shift
 * when shift is negative. Pure.
 */
#ifndef LIB_PVSCALE_H
#define LIB_PVSCALE_H

#include <stdint.h>

struct pvscale {
	uint32_t mul;                   /* its top bit is set, for precision */
	int8_t shift;
};

/* The scale that turns counts of a clock of from_hz into counts of one of to_hz. Both >= 1000. */
static inline struct pvscale pvscale_make(uint64_t from_hz, uint64_t to_hz)
{
	struct pvscale s = { .shift = 0 };
	int shift = 0;

	/* Bring to / from into [1/2, 1). */
	while (to_hz >> shift >= from_hz) {
		shift++;
	}
	while (shift <= 0 && to_hz << (1 - shift) < from_hz) {
		shift--;
	}
	s.shift = (int8_t)shift;
	s.mul = (uint32_t)(((unsigned __int128)to_hz << (32 - shift)) / from_hz);
	return s;
}

static inline uint64_t pvscale_apply(const struct pvscale *s, uint64_t x)
{
	x = s->shift >= 0 ? x << s->shift : x >> -s->shift;
	return (uint64_t)((unsigned __int128)x * s->mul >> 32);
}

#endif
