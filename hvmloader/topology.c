/*
 * APIC IDs of the virtual CPUs: they fill threads, then cores, then packages, each level on a power of two.
 *
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", detecting topology of a system.
 */
#include "hvmloader/topology.h"

#include <stdbool.h>

#include "hvmloader/layout.h"

void topology_apic_ids(unsigned int cpus, const uint32_t thread[2], const uint32_t core[2],
		       uint8_t apic_id[TOPOLOGY_MAX_CPUS])
{
	unsigned int core_shift = thread[0] & 31, package_shift = core[0] & 31;
	unsigned int threads = thread[1] & 0xffff, in_package = core[1] & 0xffff;
	bool known = threads != 0 && in_package >= threads && package_shift >= core_shift;

	for (unsigned int i = 0; i < cpus && i < TOPOLOGY_MAX_CPUS; i++) {
		if (known) {
			apic_id[i] = (uint8_t)(i / in_package << package_shift |
					       i % in_package / threads << core_shift | i % threads);
		} else {
			apic_id[i] = (uint8_t)LAYOUT_APIC_ID(i);
		}
	}
}
