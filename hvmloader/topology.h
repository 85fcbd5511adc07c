/*
 * Which local APIC belongs to virtual CPU i, from what CPUID leaf Bh says about threads and cores. Pure.
 */
#ifndef HVMLOADER_TOPOLOGY_H
#define HVMLOADER_TOPOLOGY_H

#include <stdint.h>

#define TOPOLOGY_MAX_CPUS 128

/*
 * Fill in the APIC IDs of so many CPUs. thread and core are EAX and EBX of subleaves 0 and 1; zeros when the leaf is not
 * there.
 */
void topology_apic_ids(unsigned int cpus, const uint32_t thread[2], const uint32_t core[2],
		       uint8_t apic_id[TOPOLOGY_MAX_CPUS]);

#endif
