/*
 * What the toolstack wants of the firmware, read from xenstore once.
 */
#ifndef HVMLOADER_CONFIG_H
#define HVMLOADER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "hvmloader/smbios.h"

struct config {
	bool allow_relocate;
	bool acpi, acpi_s3, acpi_s4;
	bool selftest;               /* the slow self tests too */
	bool smbios_battery;
	uint64_t hole_size;          /* of the PCI window, 0: default */
	bool has_generation_id;
	uint64_t generation_id[2];
	uint32_t acpi_address, acpi_length;     /* tables to add */
	uint32_t smbios_address, smbios_length; /* structures to add */
	struct smbios_strings strings;
};

/* Fill from xenstore; what is not there has its default. Ends the guest on a firmware we are not. */
void config_load(struct config *c);

#endif
