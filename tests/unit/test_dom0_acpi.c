/* dom0_acpi.c: the bytes of RSDP, XSDT and MADT, their checksums, what is left out, and every size that is too small. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fake/suite.h"
#include "hvm/dom0_acpi.h"

#define BASE 0x123450000ull

static struct acpi_info info;
static struct dom0_acpi a;
static uint32_t ids[4];
static uint8_t buf[4096];

static void table(uint64_t addr, const char *sig)
{
	a.table[a.tables].addr = addr;
	memcpy(a.table[a.tables++].sig, sig, 5);
}

static void setup(void)
{
	memset(&info, 0, sizeof(info));
	memset(&a, 0, sizeof(a));
	memset(buf, 0, sizeof(buf));
	ids[0] = 4;
	ids[1] = 0;
	ids[2] = 254;
	ids[3] = 255;
	a.info = &info;
	a.apic_id = ids;
	a.vcpus = 4;
	info.ioapics = 2;
	info.ioapic[0] = (struct acpi_ioapic){ 9, 0, HPA(0xfec00000) };
	info.ioapic[1] = (struct acpi_ioapic){ 10, 24, HPA(0xfec10000) };
	info.overrides = 1;
	info.override[0] = (struct acpi_override){ 0, 9, 9, 0xd };
	table(0x7ff0000, "FACP");
	table(0x7ff1000, "APIC");
	table(0x7ff2000, "HPET");
	table(0x7ff3000, "SSDT");
	table(0x7ff4000, "DMAR");
	table(0x7ff5000, "IVRS");
	table(0x7ff6000, "MCFG");
	table(0x7ff7000, "SRAT");
	table(0x7ff8000, "SLIT");
	table(0x187654321000ull, "SSDT");
}

static uint64_t get(uint64_t at, unsigned int size)
{
	uint64_t v = 0;

	ck_assert_uint_ge(at, BASE);
	ck_assert_uint_le(at + size, BASE + sizeof(buf));
	memcpy(&v, buf + (at - BASE), size);
	return v;
}

static void sums_to_zero(uint64_t at, uint64_t len)
{
	uint8_t sum = 0;

	for (uint64_t i = 0; i < len; i++) {
		sum = (uint8_t)(sum + get(at + i, 1));
	}
	ck_assert_uint_eq(sum, 0);
}

static uint64_t build(uint64_t *xsdt)
{
	uint64_t rsdp;
	int used = dom0_acpi_build(&a, buf, sizeof(buf), BASE, &rsdp);

	ck_assert_int_gt(used, 0);
	ck_assert_uint_eq(rsdp % 16, 0);
	ck_assert_uint_le(rsdp + 36, BASE + (unsigned int)used);
	*xsdt = get(rsdp + 24, 8);
	return rsdp;
}

START_TEST(test_rsdp)
{
	uint64_t xsdt, rsdp = build(&xsdt);

	ck_assert_mem_eq(buf + (rsdp - BASE), "RSD PTR ", 8);
	ck_assert_mem_eq(buf + (rsdp - BASE) + 9, "OSTLER", 6);
	ck_assert_uint_eq(get(rsdp + 15, 1), 2);
	ck_assert_uint_eq(get(rsdp + 16, 4), 0);
	ck_assert_uint_eq(get(rsdp + 20, 4), 36);
	ck_assert_uint_eq(get(rsdp + 33, 3), 0);
	sums_to_zero(rsdp, 20);
	sums_to_zero(rsdp, 36);
}
END_TEST

START_TEST(test_xsdt)
{
	uint64_t at;

	build(&at);
	ck_assert_uint_eq(at % 16, 0);
	ck_assert_mem_eq(buf + (at - BASE), "XSDT", 4);
	/* Our MADT first, then the machine's own, without its MADT, HPET, IOMMUs and topology. */
	ck_assert_uint_eq(get(at + 4, 4), 36 + 5 * 8);
	ck_assert_uint_eq(get(at + 8, 1), 1);
	sums_to_zero(at, get(at + 4, 4));
	ck_assert_mem_eq(buf + (get(at + 36, 8) - BASE), "APIC", 4);
	ck_assert_uint_eq(get(at + 44, 8), 0x7ff0000);
	ck_assert_uint_eq(get(at + 52, 8), 0x7ff3000);
	ck_assert_uint_eq(get(at + 60, 8), 0x7ff6000);
	ck_assert_uint_eq(get(at + 68, 8), 0x187654321000ull);
}
END_TEST

START_TEST(test_madt)
{
	/* type, length, and the rest as the ACPI specification has it */
	static const uint8_t want[] = {
		0, 8, 0, 4, 1, 0, 0, 0,
		0, 8, 1, 0, 1, 0, 0, 0,
		0, 8, 2, 254, 1, 0, 0, 0,
		9, 16, 0, 0, 255, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0,
		1, 12, 9, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
		1, 12, 10, 0, 0, 0, 0xc1, 0xfe, 24, 0, 0, 0,
		2, 10, 0, 9, 9, 0, 0, 0, 0xd, 0,
	};
	uint64_t xsdt;

	build(&xsdt);
	uint64_t at = get(xsdt + 36, 8);
	ck_assert_uint_eq(get(at + 4, 4), 44 + sizeof(want));
	sums_to_zero(at, get(at + 4, 4));
	ck_assert_uint_eq(get(at + 8, 1), 4);
	ck_assert_mem_eq(buf + (at - BASE) + 10, "OSTLER", 6);
	ck_assert_uint_eq(get(at + 36, 4), 0xfee00000);
	ck_assert_uint_eq(get(at + 40, 4), 0);
	ck_assert_mem_eq(buf + (at - BASE) + 44, want, sizeof(want));
}
END_TEST

START_TEST(test_nothing)
{
	uint64_t at;

	a.tables = a.vcpus = info.ioapics = info.overrides = 0;
	build(&at);
	ck_assert_uint_eq(get(at + 4, 4), 44);
	ck_assert_uint_eq(get(get(at + 36, 8) + 4, 4), 44);
}
END_TEST

/* Any size below the needed one: refused, and not a byte behind it is touched (ASan looks). */
START_TEST(test_too_small)
{
	uint64_t rsdp;
	int need = dom0_acpi_build(&a, buf, sizeof(buf), BASE, &rsdp);

	for (int size = 0; size < need + 20; size++) {
		uint8_t *small = malloc(size != 0 ? (size_t)size : 1);
		ck_assert_ptr_nonnull(small);
		memset(small, 0, size != 0 ? (size_t)size : 1);
		int rc = dom0_acpi_build(&a, small, (uint32_t)size, BASE, &rsdp);
		MUST(rc == (size < need ? -ENOSPC : need));
		MUST(size < need || memcmp(small, buf, (size_t)need) == 0);
		free(small);
	}
}
END_TEST

START_TEST(test_full)
{
	static uint32_t many[ACPI_CPUS_MAX];
	static uint8_t large[16384];
	uint64_t rsdp;

	for (uint32_t i = 0; i < ACPI_CPUS_MAX; i++) {
		many[i] = i * 2;
	}
	a.apic_id = many;
	a.vcpus = ACPI_CPUS_MAX;
	info.ioapics = ACPI_IOAPICS_MAX;
	info.overrides = ACPI_OVERRIDES_MAX;
	for (a.tables = 0; a.tables < DOM0_ACPI_TABLES;) {
		table(0x1000 * a.tables, "SSDT");
	}
	int used = dom0_acpi_build(&a, large, sizeof(large), BASE, &rsdp);
	ck_assert_int_eq(used % 4, 0);
	ck_assert_int_gt(used, 128 * 8 + 128 * 16 + 16 * 12 + 24 * 10 + 49 * 8);
	ck_assert_int_lt(used, 4096);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_rsdp, test_xsdt, test_madt, test_nothing, test_too_small, test_full,
		NULL };

	return suite_run("dom0_acpi", setup, tests);
}
