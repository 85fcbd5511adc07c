/*
 * The machine's ACPI tables, read at start-up (cpu/acpi.c): what the hypervisor and Dom0's builder need.
 */
#ifndef ARCH_ACPI_H
#define ARCH_ACPI_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"

#define ACPI_CPUS_MAX    256
#define ACPI_IOAPICS_MAX 16
#define ACPI_OVERRIDES_MAX 24

struct acpi_ioapic { uint8_t id; uint32_t gsi_base; hpa_t addr; };
struct acpi_override { uint8_t bus, irq; uint32_t gsi; uint16_t flags; };

struct acpi_info {
	hpa_t rsdp;                             /* where it stands in memory; 0: none found */
	unsigned int cpus;                      /* enabled ones, the boot CPU anywhere */
	uint32_t apic_id[ACPI_CPUS_MAX];
	uint32_t acpi_uid[ACPI_CPUS_MAX];
	unsigned int ioapics;
	struct acpi_ioapic ioapic[ACPI_IOAPICS_MAX];
	unsigned int overrides;
	struct acpi_override override[ACPI_OVERRIDES_MAX];
	uint64_t hpet_addr;                     /* 0: none */
	uint16_t pm_timer_port;                 /* 0: none */
	bool pm_timer_32bit;
	uint16_t pm1a_cnt_port;
	uint16_t sci;
	uint64_t mcfg_base; uint8_t mcfg_bus_first, mcfg_bus_last; /* segment 0; base 0: none */
	uint8_t reset_space; uint64_t reset_addr; uint8_t reset_value; /* reset_addr 0: none */
};

extern struct acpi_info acpi_info;              /* const after start-up */

/* Iterate all tables of the XSDT/RSDT: address and signature (as text); returns false past the end. */
bool acpi_table(unsigned int index, hpa_t *addr, char sig[5], uint32_t *length);
/* Find by signature, with its checksum verified; false: absent or broken. */
bool acpi_find(const char *sig, hpa_t *addr, uint32_t *length);

#endif
