/* acpi_tables.c: the facts of well-formed tables, and every cut of them. */
#include <string.h>
#include "arch/cpu/acpi_tables.h"
#include "fake/suite.h"

static struct acpi_info info;
static uint8_t table[1024];

static void setup(void)
{
	memset(&info, 0, sizeof(info));
	memset(table, 0, sizeof(table));
}

static void fix(uint8_t *p, size_t len, size_t at)
{
	uint8_t sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < len; i++) {
		sum = (uint8_t)(sum + p[i]);
	}
	p[at] = (uint8_t)-sum;
}

static void set(unsigned int at, uint64_t v, unsigned int size)
{
	memcpy(table + at, &v, size);
}

/* Two processors twice told, a disabled one, an I/O APIC, an override. Returns the length. */
static size_t madt(void)
{
	static const uint8_t entries[] = {
		0, 8, 7, 0, 1, 0, 0, 0,
		0, 8, 8, 2, 1, 0, 0, 0,
		0, 8, 9, 4, 0, 0, 0, 0,
		9, 16, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0,
		9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 77, 0, 0, 0,
		1, 12, 3, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0,
		2, 10, 0, 9, 20, 0, 0, 0, 0x0d, 0,
		42, 6, 1, 2, 3, 4,
	};

	memcpy(table + 44, entries, sizeof(entries));
	return 44 + sizeof(entries);
}

START_TEST(test_madt)
{
	size_t len = madt();

	ck_assert(acpi_read_madt(table, len, &info));
	ck_assert_uint_eq(info.cpus, 3);
	ck_assert(info.apic_id[0] == 0 && info.acpi_uid[0] == 7);
	ck_assert(info.apic_id[1] == 2 && info.acpi_uid[1] == 8);
	ck_assert(info.apic_id[2] == 256 && info.acpi_uid[2] == 77);
	ck_assert(info.ioapics == 1 && info.ioapic[0].addr.v == 0xfec00000 && info.ioapic[0].gsi_base == 24);
	ck_assert(info.overrides == 1 && info.override[0].irq == 9 && info.override[0].gsi == 20);
}
END_TEST

START_TEST(test_madt_cut)
{
	size_t len = madt();

	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, table, n);
		memset(&info, 0, sizeof(info));
		acpi_read_madt(copy, n, &info);
		MUST(info.cpus <= 3);
		free(copy);
	}
	table[45] = 0;                          /* an entry that would never end */
	ck_assert(!acpi_read_madt(table, len, &info));
}
END_TEST

START_TEST(test_many)
{
	size_t at = 44;

	for (unsigned int i = 0; i < 60; i++, at += 12) {
		memcpy(table + at, "\1\14\0\0\0\0\300\376\0\0\0\0", 12);
	}
	ck_assert(acpi_read_madt(table, at, &info));
	ck_assert_uint_eq(info.ioapics, ACPI_IOAPICS_MAX);
}
END_TEST

START_TEST(test_fadt)
{
	set(46, 9, 2);
	set(64, 0x604, 4);
	set(76, 0x608, 4);
	set(91, 4, 1);
	set(112, 1 << 8 | 1 << 10, 4);
	set(116, 1, 1);
	set(120, 0xcf9, 8);
	set(128, 6, 1);
	ck_assert(acpi_read_fadt(table, 244, &info));
	ck_assert(info.sci == 9 && info.pm1a_cnt_port == 0x604 && info.pm_timer_port == 0x608 && info.pm_timer_32bit);
	ck_assert(info.reset_space == 1 && info.reset_addr == 0xcf9 && info.reset_value == 6);
	/* The first version of the table has no reset register. */
	setup();
	ck_assert(acpi_read_fadt(table, 116, &info));
	ck_assert(info.reset_addr == 0 && info.pm_timer_port == 0);
	ck_assert(!acpi_read_fadt(table, 115, &info));
}
END_TEST

START_TEST(test_hpet_mcfg)
{
	set(44, 0xfed00000, 8);
	ck_assert(acpi_read_hpet(table, 56, &info));
	ck_assert_uint_eq(info.hpet_addr, 0xfed00000);
	ck_assert(!acpi_read_hpet(table, 55, &info));
	table[40] = 1;
	ck_assert(!acpi_read_hpet(table, 56, &info));
	setup();
	set(44, 0x123000, 8), set(52, 1, 2);
	set(60, 0xb0000000, 8), set(70, 0, 1), set(71, 255, 1);
	ck_assert(acpi_read_mcfg(table, 76, &info));
	ck_assert(info.mcfg_base == 0xb0000000 && info.mcfg_bus_first == 0 && info.mcfg_bus_last == 255);
	ck_assert(!acpi_read_mcfg(table, 75, &info));
	ck_assert(!acpi_read_mcfg(table, 10, &info));
}
END_TEST

START_TEST(test_rsdp)
{
	uint64_t root;
	unsigned int size;

	memcpy(table, "RSD PTR ", 8);
	set(16, 0x7fe0000, 4);
	fix(table, 20, 8);
	ck_assert(acpi_read_rsdp(table, 20, &root, &size));
	ck_assert(root == 0x7fe0000 && size == 4);
	table[15] = 2;
	set(20, 36, 4), set(24, 0x1234567000, 8);
	fix(table, 20, 8);
	fix(table, 36, 32);
	ck_assert(acpi_read_rsdp(table, 36, &root, &size));
	ck_assert(root == 0x1234567000 && size == 8);
	/* Only the short part is there, or the long part is damaged: the old table serves. */
	ck_assert(acpi_read_rsdp(table, 20, &root, &size) && size == 4);
	table[30] ^= 1;
	ck_assert(acpi_read_rsdp(table, 36, &root, &size) && size == 4);
	table[9] ^= 1;
	ck_assert(!acpi_read_rsdp(table, 36, &root, &size));
	ck_assert(!acpi_read_rsdp(table, 19, &root, &size));
}
END_TEST

START_TEST(test_length)
{
	set(4, 36, 4);
	ck_assert_uint_eq(acpi_table_length(table), 36);
	set(4, 35, 4);
	ck_assert_uint_eq(acpi_table_length(table), 0);
	set(4, 0xffffffff, 4);
	ck_assert_uint_eq(acpi_table_length(table), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_madt, test_madt_cut, test_many, test_fadt, test_hpet_mcfg, test_rsdp,
					      test_length, NULL };

	return suite_run("acpi_tables", setup, tests);
}
