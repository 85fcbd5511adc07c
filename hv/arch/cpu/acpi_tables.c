/* Readers of ACPI tables (contract in acpi_tables.h). Pure. */
#include "arch/cpu/acpi_tables.h"
#include "lib/mem.h"
#include "lib/util.h"

#define TABLE_MAX (1u << 20)

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_X2APIC = 9 };
enum { SPACE_MEMORY = 0 };

#define CPU_ENABLED 1u

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool acpi_checksum_ok(const void *table, size_t len)
{
	const uint8_t *p = table;
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum = (uint8_t)(sum + p[i]);
	}
	return sum == 0;
}

bool acpi_read_rsdp(const void *rsdp, size_t len, uint64_t *root, unsigned int *entry_size)
{
	const uint8_t *p = rsdp;

	if (len < 20 || memcmp(p, "RSD PTR ", 8) != 0 || !acpi_checksum_ok(p, 20)) {
		return false;
	}
	*root = get32(p + 16);
	*entry_size = 4;
	if (p[15] >= 2 && len >= 36 && acpi_checksum_ok(p, 36) && get64(p + 24)) {
		*root = get64(p + 24);
		*entry_size = 8;
	}
	return *root != 0;
}

uint32_t acpi_table_length(const void *header)
{
	uint32_t len = get32((const uint8_t *)header + 4);

	return len >= ACPI_HEADER_SIZE && len <= TABLE_MAX ? len : 0;
}

static void add_cpu(struct acpi_info *info, uint32_t apic_id, uint32_t uid, uint32_t flags)
{
	if (!(flags & CPU_ENABLED) || info->cpus == ACPI_CPUS_MAX) {
		return;
	}
	/* Firmware may list a processor in both forms. */
	for (unsigned int i = 0; i < info->cpus; i++) {
		if (info->apic_id[i] == apic_id) {
			return;
		}
	}
	info->apic_id[info->cpus] = apic_id;
	info->acpi_uid[info->cpus++] = uid;
}

static void read_madt_entry(const uint8_t *p, unsigned int len, struct acpi_info *info)
{
	switch (p[0]) {
	case MADT_LAPIC:
		if (len >= 8) {
			add_cpu(info, p[3], p[2], get32(p + 4));
		}
		break;
	case MADT_X2APIC:
		if (len >= 16) {
			add_cpu(info, get32(p + 4), get32(p + 12), get32(p + 8));
		}
		break;
	case MADT_IOAPIC:
		if (len >= 12 && info->ioapics < ACPI_IOAPICS_MAX) {
			info->ioapic[info->ioapics++] =
				(struct acpi_ioapic){ p[2], get32(p + 8), HPA(get32(p + 4)) };
		}
		break;
	case MADT_OVERRIDE:
		if (len >= 10 && info->overrides < ACPI_OVERRIDES_MAX) {
			info->override[info->overrides++] =
				(struct acpi_override){ p[2], p[3], get32(p + 4), get16(p + 8) };
		}
		break;
	default:
		break;
	}
}

bool acpi_read_madt(const void *table, size_t len, struct acpi_info *info)
{
	const uint8_t *p = table;
	size_t at = ACPI_HEADER_SIZE + 8;

	if (len < at) {
		return false;
	}
	while (len - at >= 2) {
		unsigned int entry = p[at + 1];

		if (entry < 2 || entry > len - at) {
			return false;
		}
		read_madt_entry(p + at, entry, info);
		at += entry;
	}
	return true;
}

bool acpi_read_fadt(const void *table, size_t len, struct acpi_info *info)
{
	const uint8_t *p = table;

	if (len < 116) {
		return false;
	}
	info->sci = get16(p + 46);
	info->pm1a_cnt_port = (uint16_t)get32(p + 64);
	/* PM_TMR_LEN is 4 where the timer exists. */
	info->pm_timer_port = p[91] == 4 ? (uint16_t)get32(p + 76) : 0;
	info->pm_timer_32bit = get32(p + 112) & BIT(8);
	if (len >= 129 && get32(p + 112) & BIT(10)) {
		info->reset_space = p[116];
		info->reset_addr = get64(p + 120);
		info->reset_value = p[128];
	}
	return true;
}

bool acpi_read_hpet(const void *table, size_t len, struct acpi_info *info)
{
	const uint8_t *p = table;

	if (len < 56 || p[40] != SPACE_MEMORY) {
		return false;
	}
	info->hpet_addr = get64(p + 44);
	return true;
}

bool acpi_read_mcfg(const void *table, size_t len, struct acpi_info *info)
{
	const uint8_t *p = table;

	for (size_t at = ACPI_HEADER_SIZE + 8; at + 16 <= len; at += 16) {
		/* Only segment 0 is of use. */
		if (get16(p + at + 8) == 0) {
			info->mcfg_base = get64(p + at);
			info->mcfg_bus_first = p[at + 10];
			info->mcfg_bus_last = p[at + 11];
			return true;
		}
	}
	return false;
}
