/*
 * ACPI tables of the guest machine. Pure: memory comes from a callback, the DSDT as bytes.
 */
#ifndef HVMLOADER_ACPI_H
#define HVMLOADER_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_MAX_CPUS 128

/* At LAYOUT_ACPI_INFO; the DSDT reads it by offsets, keep both alike. */
struct acpi_info {
	uint8_t com1 : 1, com2 : 1, lpt1 : 1, hpet : 1;
	uint8_t reserved;
	uint16_t nr_cpus;
	uint32_t pci_min, pci_len;
	uint32_t madt_checksum; /* address of the MADT's checksum byte */
	uint32_t madt_lapic0;   /* address of the first processor entry */
	uint32_t generation_id; /* address of the generation ID, 0: none */
	uint64_t pci_high_min, pci_high_len;
} __attribute__((packed));

/* Returns zeroed memory and its guest-physical address, or NULL. align is a power of two. */
struct acpi_mem {
	void *(*alloc)(void *ctx, uint32_t size, uint32_t align, uint32_t *phys);
	void *ctx;
};

struct acpi_blob {
	const void *data;
	uint32_t size;
};

struct acpi_world {
	unsigned int nr_cpus;
	const uint8_t *apic_id;    /* of each */
	uint8_t online[ACPI_MAX_CPUS / 8];
	bool hpet, com1, com2, lpt1;
	uint32_t hpet_id;
	uint32_t pci_min, pci_len;
	uint64_t pci_high_min, pci_high_len;
	bool has_generation_id;
	uint64_t generation_id[2];
	struct acpi_blob dsdt;
	struct acpi_blob ssdt[4];  /* those with size 0 are left out */
	struct acpi_blob extra;    /* whole tables one after the other, from the toolstack */
};

struct acpi_result {
	uint32_t fadt, madt, dsdt, rsdt, xsdt;
	uint32_t generation_id;    /* 0: none */
	unsigned int tables;       /* entries of the XSDT */
};

#define ACPI_RSDP_SIZE 36

/*
 * Build everything. info is written at the place the DSDT looks at; rsdp receives ACPI_RSDP_SIZE
 * bytes. False when memory ran out or a table given from outside is malformed.
 */
bool acpi_build(const struct acpi_world *world, const struct acpi_mem *mem, struct acpi_info *info,
		void *rsdp, struct acpi_result *result);

#endif
