/*
 * A guest that never exits: two seconds with interrupts off and no instruction that leaves the guest.
 *
 * What it tests is outside: everything else must go on meanwhile, by the host's timer alone. Needs the CPUID leaf that
 * tells the time-stamp counter's rate.
 */
#include "tests/guest/rt/rt.h"

#define SECONDS 2

int guest_main(const struct hvm_start_info *info)
{
	uint32_t r[4];

	cpuid(rt_xen_leaf() + 3, 0, r);
	RT_CHECK(r[2] != 0);
	uint64_t end = rdtsc() + (uint64_t)r[2] * 1000 * SECONDS;
	rt_puts("spin: begins\n");
	while (rdtsc() < end) {
		__asm__ volatile("" : : : "memory");
	}
	rt_puts("spin: OK\n");
	return 0;
}
