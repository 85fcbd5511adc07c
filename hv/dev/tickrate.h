/*
 * Nanoseconds to the ticks of a chip's clock by one multiplication, and back. Pure.
 *
 * The rate is a fraction of 2^64, rounded up: a whole number of ticks is reached at its nanosecond, not one later, and what is
 * gained by the rounding is less than half a tick in two hundred years. So the count is monotonic and does not drift.
 */
#ifndef DEV_TICKRATE_H
#define DEV_TICKRATE_H

#include <stdint.h>

#define TICKRATE_NS_PER_S 1000000000ull

/* Ticks per nanosecond times 2^64, of a clock slower than 1 GHz. A constant. */
#define TICK_RATE(hz) ((uint64_t)((((unsigned __int128)(hz) << 64) + TICKRATE_NS_PER_S - 1) / TICKRATE_NS_PER_S))

static inline uint64_t tick_count(uint64_t ns, uint64_t rate)
{
	return (uint64_t)((unsigned __int128)ns * rate >> 64);
}

/* The first nanosecond at which tick_count() gives ticks. */
static inline uint64_t tick_time(uint64_t ticks, uint64_t hz)
{
	const uint64_t rate = TICK_RATE(hz);
	uint64_t ns = ticks / hz * TICKRATE_NS_PER_S + (ticks % hz * TICKRATE_NS_PER_S + hz - 1) / hz;

	/* Years after its start the count is a little ahead of the exact fraction. */
	while (ns > 0 && tick_count(ns - 1, rate) >= ticks) {
		ns--;
	}
	return ns;
}

#endif
