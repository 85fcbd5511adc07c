/*
 * SMBIOS 2.4 structures and their entry point. Pure.
 */
#ifndef HVMLOADER_SMBIOS_H
#define HVMLOADER_SMBIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMBIOS_ENTRY_SIZE  31
#define SMBIOS_OEM_STRINGS 99

/* Every string may be NULL or empty: then the default, or nothing, stands there. */
struct smbios_strings {
	const char *bios_vendor, *bios_version;
	const char *system_manufacturer, *system_product, *system_version, *system_serial;
	const char *board_manufacturer, *board_product, *board_version, *board_serial, *board_tag;
	const char *board_location;
	const char *case_manufacturer, *case_serial, *case_tag;
	const char *battery_manufacturer, *battery_name;
	unsigned int oem_count;
	const char *oem[SMBIOS_OEM_STRINGS];
};

struct smbios_world {
	struct smbios_strings strings;
	const char *default_version;  /* of the hypervisor: "4.17.x" */
	uint8_t uuid[16];             /* in the order it is printed */
	unsigned int nr_cpus;
	uint32_t cpu_mhz;
	uint32_t cpu_signature, cpu_features; /* CPUID leaf 1: EAX, EDX */
	uint64_t memory_bytes;
	bool battery;                 /* say that there is one, with the strings above */
	/* Structures of the toolstack, each with its length before it: they replace ours. */
	const uint8_t *given;
	uint32_t given_size;
};

struct smbios_result {
	uint32_t length;     /* of all structures */
	uint16_t count, max_size;
};

/* Writes all structures; false when room is too small or something given is malformed. */
bool smbios_build(const struct smbios_world *world, uint8_t *table, uint32_t room,
		  struct smbios_result *result);

/* Writes SMBIOS_ENTRY_SIZE bytes that describe the table at a guest-physical address. */
void smbios_entry(uint8_t *entry, uint32_t table, const struct smbios_result *result);

#endif
