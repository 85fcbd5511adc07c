/*
 * What the boot loader said, in one form for multiboot2 and multiboot1. Filled once by
 * arch/boot/multiboot*.c (pure parsers); const afterwards.
 */
#ifndef ARCH_BOOTINFO_H
#define ARCH_BOOTINFO_H

#include <stdint.h>
#include "lib/addr.h"

#define BOOT_MODULES_MAX 8
#define BOOT_MEMMAP_MAX  128

enum { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_UNUSABLE = 5 };

struct boot_region {
	uint64_t start, size;
	uint32_t type;
};

struct boot_module {
	hpa_t start;
	uint64_t size;
	char cmdline[1024];
};

struct bootinfo {
	char cmdline[1024];
	struct boot_module module[BOOT_MODULES_MAX];
	unsigned int modules;
	struct boot_region map[BOOT_MEMMAP_MAX];        /* sorted, not overlapping */
	unsigned int regions;
	uint8_t rsdp[36];               /* copy given by the loader; rsdp_len 0: search for it */
	unsigned int rsdp_len;
	uint64_t efi_systab;            /* 0: BIOS */
};

extern struct bootinfo bootinfo;

#endif
