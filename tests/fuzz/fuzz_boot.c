/*
 * What firmware and boot loaders hand over: multiboot2 information and ACPI tables of random bytes, made plausible by the first
 * byte. Oracle: no access outside the input, counts within their arrays, a sorted memory map without overlaps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "arch/boot/multiboot.h"
#include "arch/cpu/acpi_tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c)                  \
	do {                     \
		if (!(c)) {      \
			abort(); \
		}                \
	} while (0)

/* Right total size, small tag types and sizes that fit. */
static void make_plausible(uint8_t *p, size_t size)
{
	uint32_t total = (uint32_t)size;

	if (size < 8) {
		return;
	}
	memcpy(p, &total, sizeof(total));
	for (size_t at = 8; at + 8 <= size;) {
		uint32_t type = p[at] % 16, len = 8 + p[at + 4] % 64;

		memcpy(p + at, &type, sizeof(type));
		memcpy(p + at + 4, &len, sizeof(len));
		at += (len + 7) & ~7u;
	}
}

static void try_multiboot2(const uint8_t *p, size_t size)
{
	static struct bootinfo b;
	int rc = multiboot2_parse(p, size, &b);

	MUST(rc == 0 || rc == -EINVAL || rc == -E2BIG);
	MUST(b.modules <= BOOT_MODULES_MAX && b.regions <= BOOT_MEMMAP_MAX && b.rsdp_len <= sizeof(b.rsdp));
	MUST(strnlen(b.cmdline, sizeof(b.cmdline)) < sizeof(b.cmdline));
	for (unsigned int i = 1; rc == 0 && i < b.regions; i++) {
		MUST(b.map[i].start >= b.map[i - 1].start + b.map[i - 1].size);
	}
}

static void try_acpi(const uint8_t *p, size_t size)
{
	struct acpi_info info = { .cpus = 0 };
	uint64_t root;
	unsigned int entry;

	acpi_read_madt(p, size, &info);
	acpi_read_fadt(p, size, &info);
	acpi_read_hpet(p, size, &info);
	acpi_read_mcfg(p, size, &info);
	acpi_read_rsdp(p, size, &root, &entry);
	MUST(info.cpus <= ACPI_CPUS_MAX && info.ioapics <= ACPI_IOAPICS_MAX && info.overrides <= ACPI_OVERRIDES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p = malloc(size ? size : 1);

	MUST(p != NULL);
	memcpy(p, data, size);
	try_acpi(p, size);
	if (size && data[0] & 1) {
		make_plausible(p, size);
	}
	try_multiboot2(p, size);
	free(p);
	return 0;
}
