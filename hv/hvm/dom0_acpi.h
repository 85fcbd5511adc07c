/*
 * The ACPI tables that Dom0 sees (dom0_acpi.c). Pure over byte buffers: addresses are physical, reading is a callback.
 */
#ifndef HVM_DOM0_ACPI_H
#define HVM_DOM0_ACPI_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/acpi.h"

#define DOM0_ACPI_TABLES 48

/* A table of the machine, by address and signature. */
struct dom0_acpi_table {
	uint64_t addr;
	char sig[5];
};

struct dom0_acpi {
	const struct acpi_info *info;
	struct dom0_acpi_table table[DOM0_ACPI_TABLES];
	unsigned int tables;
	unsigned int vcpus;             /* vCPU i has APIC ID apic_id[i] */
	const uint32_t *apic_id;
};

/*
 * Write RSDP, XSDT and MADT into buf, which Dom0 will find at physical address base; *rsdp is the RSDP's address there.
 * Tables that the hypervisor keeps for itself are left out. Returns bytes used, or -ENOSPC.
 */
int dom0_acpi_build(const struct dom0_acpi *a, uint8_t *buf, uint32_t size, uint64_t base, uint64_t *rsdp);

#endif
