/*
 * The chips that firmware programs besides PCI: interrupt controllers, CMOS, power management;
 * and what the machine has at its legacy ports.
 */
#ifndef HVMLOADER_PLATFORM_H
#define HVMLOADER_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "hvmloader/pci.h"

/* Configuration mechanism 1, for pci_scan() and pci_commit(). */
extern const struct pci_ops platform_pci;

/* Local APIC of this CPU, I/O APIC and trigger modes as a PC's firmware leaves them. */
void platform_init_interrupts(void);

/* Memory sizes into CMOS, where old software looks for them. */
void platform_write_cmos(uint64_t low_end, uint64_t high_end);

/* Switch the chipset to ACPI mode; false when it does not follow. */
bool platform_enable_acpi(void);

bool platform_has_uart(uint16_t base);
bool platform_has_parallel(uint16_t base);
/* The HPET's capability register, 0 when there is none. */
uint32_t platform_hpet_id(void);

#endif
