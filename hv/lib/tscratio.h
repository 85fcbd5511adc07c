/*
 * A guest's TSC that runs at another rate than the machine's: guest = host * ratio / 2^48 + offset, which is how VMX
 * counts it (Intel SDM volume 3, "RDTSC and the TSC multiplier"). A ratio of 0 is that of the machine. Pure.
 */
#ifndef LIB_TSCRATIO_H
#define LIB_TSCRATIO_H

#include <stdint.h>

#define TSCRATIO_BITS 48

/* Both rates in kHz, not 0. */
static inline uint64_t tscratio_make(uint64_t host_khz, uint64_t guest_khz)
{
	return (uint64_t)(((unsigned __int128)guest_khz << TSCRATIO_BITS) / host_khz);
}

static inline uint64_t tscratio_apply(uint64_t ratio, uint64_t host)
{
	return ratio == 0 ? host : (uint64_t)((unsigned __int128)host * ratio >> TSCRATIO_BITS);
}

/* The first count of the host at which the guest's counter, without its offset, has reached this. */
static inline uint64_t tscratio_undo(uint64_t ratio, uint64_t guest)
{
	return ratio == 0 ? guest : (uint64_t)((((unsigned __int128)guest << TSCRATIO_BITS) + ratio - 1) / ratio);
}

#endif
