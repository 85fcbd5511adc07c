/*
 * How a guest's vCPUs are grouped into threads, cores and packages: APIC IDs and the CPUID leaves that say so.
 *
 * Pure: a struct in, numbers out. Manuals: Intel SDM volume 3, "Multiple-Processor Management", hierarchical mapping of shared
 * resources; AMD APM volume 3, appendix E.
 */
#ifndef HVM_TOPOLOGY_H
#define HVM_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

/* Highest APIC ID that an 8-bit destination can name; FFh is everybody. */
#define TOPOLOGY_APIC_ID_MAX 0xfe

enum topology_vendor { TOPOLOGY_INTEL, TOPOLOGY_AMD };

struct topology {
	uint16_t threads;       /* in a core, at least 1 */
	uint16_t cores;         /* in a package, at least 1 */
	uint16_t vcpus;         /* all of them: the last package may be incomplete */
	uint8_t vendor;         /* enum topology_vendor: whose leaves */
	bool dense;             /* no gaps between the APIC IDs of one-thread cores: Dom0's are the machine's */
};

/*
 * Does it describe so many vCPUs without an APIC ID above the highest? Cores without a second thread have even APIC IDs, as
 * on stock Xen, where the ID of vCPU i of a single package is 2i.
 */
bool topology_valid(const struct topology *t);
uint32_t topology_apic_id(const struct topology *t, unsigned int vcpu);
/* The same, in reverse: bits of the APIC ID below the core's number, and below the package's. */
unsigned int topology_core_shift(const struct topology *t);
unsigned int topology_package_shift(const struct topology *t);

/*
 * Fill in what the leaf says about topology; r holds EAX, EBX, ECX, EDX of the machine's leaf, already cut by policy. False:
 * the leaf says nothing about it, r is untouched. Leaves 1, 4, Bh, 1Fh, 80000001h, 80000008h, 8000001Eh, and the sharing in
 * 8000001Dh.
 */
bool topology_leaf(const struct topology *t, uint32_t apic_id, uint32_t leaf, uint32_t subleaf, uint32_t r[4]);
/*
 * Leaf 8000001Dh made of what leaves 80000005h and 80000006h (l1 and l2, four registers each) say, for a processor that has no
 * such leaf.
 */
void topology_amd_cache(uint32_t subleaf, const uint32_t l1[4], const uint32_t l2[4], uint32_t r[4]);

#endif
