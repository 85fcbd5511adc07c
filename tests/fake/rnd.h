/*
 * Repeatable pseudo-random numbers (xorshift64) for the robustness tests: same run, same numbers.
 */
#ifndef TESTS_FAKE_RND_H
#define TESTS_FAKE_RND_H

#include <stdint.h>

struct rnd {
	uint64_t state;         /* never 0 */
};

static inline uint64_t rnd_next(struct rnd *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state;
}

/* Below n, n > 0. */
static inline uint64_t rnd_below(struct rnd *r, uint64_t n)
{
	return rnd_next(r) % n;
}

/* An access size: 1, 2, 4 or 8. */
static inline uint8_t rnd_size(struct rnd *r)
{
	return 1u << rnd_below(r, 4);
}

#endif
