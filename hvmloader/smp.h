/*
 * Start every secondary CPU once, to program its memory type registers, and park it again.
 */
#ifndef HVMLOADER_SMP_H
#define HVMLOADER_SMP_H

#include <stdint.h>

/* APIC ID of each virtual CPU; the first call finds them. */
const uint8_t *smp_apic_ids(unsigned int cpus);

/* The uncached windows, in bytes; high_start == high_end: none. Does this CPU as well. */
void smp_init(unsigned int cpus, uint64_t low_start, uint64_t low_end, uint64_t high_start,
	      uint64_t high_end);

/* The processor's number of physical address bits. */
unsigned int smp_phys_bits(void);

#endif
