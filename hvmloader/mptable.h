/*
 * MultiProcessor table and PCI interrupt routing table, for systems that do not read ACPI. Pure.
 */
#ifndef HVMLOADER_MPTABLE_H
#define HVMLOADER_MPTABLE_H

#include <stdint.h>

struct mptable_world {
	unsigned int nr_cpus;
	const uint8_t *apic_id; /* of each */
	uint32_t cpu_signature, cpu_features; /* CPUID leaf 1: EAX, EDX */
	uint8_t lapic_version;
};

/* Bytes that mptable_build() writes. */
uint32_t mptable_size(unsigned int nr_cpus);

/* Floating pointer and table, at the guest-physical address where they will be read. */
void mptable_build(const struct mptable_world *world, uint8_t *table, uint32_t phys);

#define PIRTABLE_SLOTS 8
#define PIRTABLE_SIZE  (32 + 16 * PIRTABLE_SLOTS)

/* "$PIR": slots 1 to PIRTABLE_SLOTS of bus 0. */
void pirtable_build(uint8_t *table);

#endif
