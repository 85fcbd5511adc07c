/* Start-up of the ACPI reader; the results are in arch/acpi.h. */
#ifndef ARCH_CPU_ACPI_INIT_H
#define ARCH_CPU_ACPI_INIT_H

/* Find the tables and fill acpi_info. Without usable tables there is one CPU and no I/O APIC. */
void acpi_init(void);

#endif
