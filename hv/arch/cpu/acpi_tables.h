/*
 * Readers of ACPI tables: a table's bytes in, facts out. Pure; nothing in a table is trusted.
 * (ACPI Specification 6.4, "ACPI Software Programming Model".)
 */
#ifndef ARCH_CPU_ACPI_TABLES_H
#define ARCH_CPU_ACPI_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arch/acpi.h"

#define ACPI_HEADER_SIZE 36

/* All bytes add up to zero. */
bool acpi_checksum_ok(const void *table, size_t len);
/* RSDP: signature and checksum; the root table's address and entry size (4: RSDT, 8: XSDT). */
bool acpi_read_rsdp(const void *rsdp, size_t len, uint64_t *root, unsigned int *entry_size);
/* The length in a table's header, 0 when it cannot be one. */
uint32_t acpi_table_length(const void *header);

/* Each fills its part of the structure; false: too short or malformed. len: the table's own length. */
bool acpi_read_madt(const void *table, size_t len, struct acpi_info *info);
bool acpi_read_fadt(const void *table, size_t len, struct acpi_info *info);
bool acpi_read_hpet(const void *table, size_t len, struct acpi_info *info);
bool acpi_read_mcfg(const void *table, size_t len, struct acpi_info *info);

#endif
