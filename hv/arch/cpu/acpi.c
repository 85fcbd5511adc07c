/*
 * The machine's ACPI tables: finding them in memory (reading is acpi_tables.c's). Start-up only; const afterwards.
 */
#include "arch/acpi.h"
#include "arch/bootinfo.h"
#include "arch/cpu/acpi_init.h"
#include "arch/cpu/acpi_tables.h"
#include "arch/hw.h"
#include "arch/machine.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "lib/mem.h"

#define LOW_4G       (4ull << 30)
#define BIOS_START   0xe0000ull
#define BIOS_END     0x100000ull
#define EBDA_POINTER 0x40eull

struct acpi_info acpi_info;

static const uint8_t *root;             /* XSDT or RSDT; NULL: none */
static unsigned int entry_size;

/* Tables lie in memory that is not RAM to us, or in RAM; both are in the direct map below 4 GiB. */
static const void *map(uint64_t addr, uint64_t len)
{
	if (addr == 0 || addr + len < addr) {
		return NULL;
	}
	if (addr + len <= LOW_4G) {
		return hpa_virt(HPA(addr));
	}
	if (machine_addr_mapped((uint64_t)hpa_virt(HPA(addr)))) {
		return hpa_virt(HPA(addr));
	}
	return (const void *)machine_map_device(addr, len);
}

static const uint8_t *map_table(uint64_t addr, uint32_t *len)
{
	const uint8_t *p = map(addr, ACPI_HEADER_SIZE);

	*len = p ? acpi_table_length(p) : 0;
	return *len ? map(addr, *len) : NULL;
}

static uint64_t scan(uint64_t start, uint64_t end)
{
	uint64_t unused;
	unsigned int size;

	for (uint64_t a = start; a + 36 <= end; a += 16) {
		if (acpi_read_rsdp(hpa_virt(HPA(a)), 36, &unused, &size)) {
			return a;
		}
	}
	return 0;
}

static bool find_root(void)
{
	uint64_t ebda = (uint64_t)*(const uint16_t *)hpa_virt(HPA(EBDA_POINTER)) << 4, addr;
	uint32_t len;
	const void *rsdp;
	unsigned int rsdp_len = 36;

	acpi_info.rsdp = HPA(ebda >= 0x80000 ? scan(ebda, ebda + 1024) : 0);
	if (!acpi_info.rsdp.v) {
		acpi_info.rsdp = HPA(scan(BIOS_START, BIOS_END));
	}
	rsdp = hpa_virt(acpi_info.rsdp);
	/* The loader's copy is the only one on UEFI machines; its place in memory is unknown then. */
	if (bootinfo.rsdp_len) {
		rsdp = bootinfo.rsdp;
		rsdp_len = bootinfo.rsdp_len;
	} else if (!acpi_info.rsdp.v) {
		return false;
	}
	if (!acpi_read_rsdp(rsdp, rsdp_len, &addr, &entry_size)) {
		return false;
	}
	root = map_table(addr, &len);
	if (!root || !acpi_checksum_ok(root, len)) {
		root = NULL;
	}
	return root != NULL;
}

bool acpi_table(unsigned int index, hpa_t *addr, char sig[5], uint32_t *length)
{
	uint32_t count = root ? (acpi_table_length(root) - ACPI_HEADER_SIZE) / entry_size : 0;
	const uint8_t *t;

	if (index >= count) {
		return false;
	}
	*addr = HPA(0);
	memcpy(&addr->v, root + ACPI_HEADER_SIZE + index * entry_size, entry_size);
	t = map_table(addr->v, length);
	memset(sig, 0, 5);
	if (t) {
		memcpy(sig, t, 4);
	}
	return true;
}

bool acpi_find(const char *sig, hpa_t *addr, uint32_t *length)
{
	char found[5];

	for (unsigned int i = 0; acpi_table(i, addr, found, length); i++) {
		if (*length && memcmp(found, sig, 4) == 0) {
			return acpi_checksum_ok(map(addr->v, *length), *length);
		}
	}
	return false;
}

struct reader {
	const char *sig;
	bool (*read)(const void *table, size_t len, struct acpi_info *info);
};

void acpi_init(void)
{
	static const struct reader readers[] = {
		{ "APIC", acpi_read_madt },
		{ "FACP", acpi_read_fadt },
		{ "HPET", acpi_read_hpet },
		{ "MCFG", acpi_read_mcfg },
	};
	hpa_t addr;
	uint32_t len;

	if (!find_root()) {
		log_warn("no ACPI tables: one CPU, no I/O APIC");
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(readers); i++) {
		if (acpi_find(readers[i].sig, &addr, &len) &&
		    !readers[i].read(map(addr.v, len), len, &acpi_info)) {
			log_warn("ACPI table %s is malformed", readers[i].sig);
		}
	}
	log_info("ACPI: %u CPUs, %u I/O APICs, HPET %lx, PM timer port %x, MMCONFIG %lx", acpi_info.cpus, acpi_info.ioapics,
		 acpi_info.hpet_addr, acpi_info.pm_timer_port, acpi_info.mcfg_base);
}
