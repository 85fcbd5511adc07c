/* ACPI, SMBIOS, MP and $PIR tables of the firmware, read back as an operating system reads them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hvmloader/acpi.h"
#include "hvmloader/layout.h"
#include "hvmloader/mem.h"
#include "hvmloader/mptable.h"
#include "hvmloader/smbios.h"
#include "hvmloader/topology.h"

#define ARENA_PHYS LAYOUT_ACPI
#define ARENA_SIZE 0x20000

static uint8_t arena[ARENA_SIZE] __attribute__((aligned(4096)));
static uint32_t arena_used, arena_limit;
static struct acpi_info info;
static uint8_t rsdp[ACPI_RSDP_SIZE];
static struct acpi_result result;

static void *arena_alloc(void *ctx, uint32_t size, uint32_t align, uint32_t *phys)
{
	uint32_t at = (arena_used + align - 1) & ~(align - 1);

	ck_assert_ptr_eq(ctx, arena);
	if (at + size > arena_limit) {
		return NULL;
	}
	arena_used = at + size;
	*phys = ARENA_PHYS + at;
	return arena + at;
}

static const struct acpi_mem mem = { arena_alloc, arena };

static uint32_t u32(const void *p)
{
	uint32_t value;

	memcpy(&value, p, 4);
	return value;
}

static uint64_t u64(const void *p)
{
	uint64_t value;

	memcpy(&value, p, 8);
	return value;
}

static uint16_t u16(const void *p)
{
	uint16_t value;

	memcpy(&value, p, 2);
	return value;
}

static uint8_t *at(uint64_t phys)
{
	ck_assert_uint_ge(phys, ARENA_PHYS);
	ck_assert_uint_lt(phys, ARENA_PHYS + ARENA_SIZE);
	return arena + (phys - ARENA_PHYS);
}

/* A table by signature, through the XSDT; every table's sum is checked on the way. */
static uint8_t *find(const char *signature)
{
	uint8_t *xsdt = at(u64(rsdp + 24));

	ck_assert_mem_eq(xsdt, "XSDT", 4);
	ck_assert_uint_eq(mem_sum(xsdt, u32(xsdt + 4)), 0);
	for (uint32_t i = 36; i < u32(xsdt + 4); i += 8) {
		uint8_t *table = at(u64(xsdt + i));

		ck_assert_uint_eq(mem_sum(table, u32(table + 4)), 0);
		if (memcmp(table, signature, 4) == 0) {
			return table;
		}
	}
	return NULL;
}

static const uint8_t fake_dsdt[40] = { 'D', 'S', 'D', 'T', 40 };
static uint8_t fake_ssdt[36] = { 'S', 'S', 'D', 'T', 36 };

/* Without leaf Bh: 2i. */
static const uint8_t *apic_ids(void)
{
	static uint8_t ids[TOPOLOGY_MAX_CPUS];
	static const uint32_t none[2];

	topology_apic_ids(TOPOLOGY_MAX_CPUS, none, none, ids);
	return ids;
}

static struct acpi_world world(void)
{
	struct acpi_world w = { .nr_cpus = 3, .apic_id = apic_ids(), .online = { 0x05 }, .hpet = true, .com1 = true,
				.hpet_id = 0x8086a201, .pci_min = 0xf0000000,
				.pci_len = 0x0c000000, .dsdt = { fake_dsdt, sizeof(fake_dsdt) },
				.ssdt = { { fake_ssdt, sizeof(fake_ssdt) } } };

	fake_ssdt[9] = 0;
	fake_ssdt[9] = (uint8_t)-mem_sum(fake_ssdt, sizeof(fake_ssdt));
	return w;
}

static void setup(void)
{
	memset(arena, 0, sizeof(arena));
	arena_used = 0;
	arena_limit = ARENA_SIZE;
}

START_TEST(test_acpi_roots)
{
	struct acpi_world w = world();
	uint8_t *rsdt;

	ck_assert(acpi_build(&w, &mem, &info, rsdp, &result));
	ck_assert_mem_eq(rsdp, "RSD PTR ", 8);
	ck_assert_uint_eq(mem_sum(rsdp, 20), 0);
	ck_assert_uint_eq(mem_sum(rsdp, 36), 0);
	ck_assert_uint_eq(rsdp[15], 2);
	ck_assert_ptr_nonnull(find("FACP"));
	ck_assert_ptr_nonnull(find("APIC"));
	ck_assert_ptr_nonnull(find("HPET"));
	ck_assert_ptr_nonnull(find("WAET"));
	ck_assert_ptr_nonnull(find("SSDT"));
	ck_assert_uint_eq(result.tables, 5);
	/* The RSDT lists the same, with the short FADT in place of the long. */
	rsdt = at(u32(rsdp + 16));
	ck_assert_mem_eq(rsdt, "RSDT", 4);
	ck_assert_uint_eq(mem_sum(rsdt, u32(rsdt + 4)), 0);
	ck_assert_uint_eq(u32(rsdt + 4), 36 + 5 * 4);
	ck_assert_mem_eq(at(u32(rsdt + 36)), "FACP", 4);
	ck_assert_uint_eq(u32(at(u32(rsdt + 36)) + 4), 116);
	ck_assert_uint_eq(at(u32(rsdt + 36))[8], 1);
	ck_assert_uint_eq(mem_sum(at(u32(rsdt + 36)), 116), 0);
}
END_TEST

START_TEST(test_acpi_fadt)
{
	struct acpi_world w = world();
	uint8_t *f;

	ck_assert(acpi_build(&w, &mem, &info, rsdp, &result));
	f = find("FACP");
	ck_assert_uint_eq(u32(f + 4), 244);
	ck_assert_uint_eq(f[8], 4);
	ck_assert_mem_eq(at(u32(f + 36)), "FACS", 4);
	ck_assert_uint_eq(u32(f + 36) % 64, 0);
	ck_assert_mem_eq(at(u32(f + 40)), "DSDT", 4);
	ck_assert_uint_eq(u16(f + 46), 9);
	ck_assert_uint_eq(u32(f + 48), 0);         /* SMI command: always in ACPI mode */
	ck_assert_uint_eq(u32(f + 56), 0xb000);
	ck_assert_uint_eq(u32(f + 64), 0xb004);
	ck_assert_uint_eq(u32(f + 76), 0xb008);
	ck_assert_uint_eq(u32(f + 80), 0xafe0);
	ck_assert_uint_eq(f[88], 4);
	ck_assert_uint_eq(f[89], 2);
	ck_assert_uint_eq(f[91], 4);
	ck_assert_uint_eq(f[92], 4);
	ck_assert_uint_eq(u16(f + 109), 2);        /* 8042 */
	ck_assert_uint_eq(u32(f + 112), 0x8145);
	ck_assert_uint_eq(u64(f + 120), 0xcf9);    /* reset register ... */
	ck_assert_uint_eq(f[128], 6);              /* ... and value */
	ck_assert_uint_eq(u64(f + 140), u32(f + 40));
	ck_assert_uint_eq(f[148], 1);
	ck_assert_uint_eq(f[149], 32);
	ck_assert_uint_eq(u64(f + 152), 0xb000);
	ck_assert_uint_eq(u64(f + 212), 0xb008);
}
END_TEST

START_TEST(test_acpi_madt)
{
	static const uint8_t isos[] = {
		2, 10, 0, 0, 2, 0, 0, 0, 0, 0,   2, 10, 0, 5, 5, 0, 0, 0, 0xf, 0,
		2, 10, 0, 10, 10, 0, 0, 0, 0xf, 0, 2, 10, 0, 11, 11, 0, 0, 0, 0xf, 0,
		1, 12, 1, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
		0, 8, 0, 0, 1, 0, 0, 0,          0, 8, 1, 2, 0, 0, 0, 0,
		0, 8, 2, 4, 1, 0, 0, 0,
	};
	struct acpi_world w = world();
	uint8_t *m;

	ck_assert(acpi_build(&w, &mem, &info, rsdp, &result));
	m = find("APIC");
	ck_assert_uint_eq(u32(m + 4), 44 + sizeof(isos));
	ck_assert_uint_eq(u32(m + 36), 0xfee00000);
	ck_assert_uint_eq(u32(m + 40), 1);
	ck_assert_mem_eq(m + 44, isos, sizeof(isos));
	/* Where the DSDT finds things. */
	ck_assert_ptr_eq(at(info.madt_checksum), m + 9);
	ck_assert_ptr_eq(at(info.madt_lapic0), m + 44 + 40 + 12);
	ck_assert_uint_eq(info.nr_cpus, 3);
	ck_assert_uint_eq(info.pci_min, 0xf0000000);
	ck_assert_uint_eq(((uint8_t *)&info)[0], 0x09); /* COM1, HPET */
}
END_TEST

START_TEST(test_apic_ids)
{
	static const struct {
		uint32_t thread[2], core[2];
		uint8_t id[8];
	} rows[] = {
		/* one package of cores, as stock Xen has it; 2 packages of 2 cores of 2 threads; 2 packages of 3 cores */
		{ { 1, 1 }, { 4, 8 }, { 0, 2, 4, 6, 8, 10, 12, 14 } },
		{ { 1, 2 }, { 2, 4 }, { 0, 1, 2, 3, 4, 5, 6, 7 } },
		{ { 1, 1 }, { 3, 3 }, { 0, 2, 4, 8, 10, 12, 16, 18 } },
		/* 3 threads: the fourth number of a core is left out */
		{ { 2, 3 }, { 3, 6 }, { 0, 1, 2, 4, 5, 6, 8, 9 } },
		/* nonsense is not believed */
		{ { 3, 1 }, { 2, 2 }, { 0, 2, 4, 6, 8, 10, 12, 14 } },
	};
	uint8_t ids[TOPOLOGY_MAX_CPUS];

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		topology_apic_ids(8, rows[i].thread, rows[i].core, ids);
		ck_assert_mem_eq(ids, rows[i].id, 8);
	}
	ck_assert_uint_eq(apic_ids()[127], 254);
}
END_TEST

START_TEST(test_acpi_128_cpus)
{
	struct acpi_world w = world();
	uint8_t *m;

	w.nr_cpus = 128;
	memset(w.online, 0xff, sizeof(w.online));
	ck_assert(acpi_build(&w, &mem, &info, rsdp, &result));
	m = find("APIC");
	ck_assert_uint_eq(u32(m + 4), 44 + 40 + 12 + 128 * 8);
	ck_assert_uint_eq(at(info.madt_lapic0 + 127 * 8)[3], 254);
	w.nr_cpus = 129;
	ck_assert(!acpi_build(&w, &mem, &info, rsdp, &result));
}
END_TEST

START_TEST(test_acpi_optional)
{
	struct acpi_world w = world();

	w.hpet = false;
	w.ssdt[0].size = 0;
	w.has_generation_id = true;
	w.generation_id[0] = 0x1111;
	w.generation_id[1] = 0x2222;
	ck_assert(acpi_build(&w, &mem, &info, rsdp, &result));
	ck_assert_ptr_null(find("HPET"));
	ck_assert_ptr_null(find("SSDT"));
	ck_assert_uint_ne(result.generation_id, 0);
	ck_assert_uint_eq(info.generation_id, result.generation_id);
	ck_assert_uint_eq(u64(at(result.generation_id) + 8), 0x2222);
}
END_TEST

START_TEST(test_acpi_extra)
{
	struct acpi_world w = world();
	uint8_t extra[36 + 44] = { 'S', 'L', 'I', 'C', 36 };

	memcpy(extra + 36, "OEM1", 4);
	extra[40] = 44;
	w.extra = (struct acpi_blob){ extra, sizeof(extra) };
	extra[9] = (uint8_t)-mem_sum(extra, 36);
	extra[36 + 9] = (uint8_t)-mem_sum(extra + 36, 44);
	ck_assert(acpi_build(&w, &mem, &info, rsdp, &result));
	ck_assert_ptr_nonnull(find("SLIC"));
	ck_assert_ptr_nonnull(find("OEM1"));
	extra[40] = 45;
	ck_assert(!acpi_build(&w, &mem, &info, rsdp, &result));
	extra[40] = 35;
	ck_assert(!acpi_build(&w, &mem, &info, rsdp, &result));
	w.extra.size = sizeof(extra) - 20;
	ck_assert(!acpi_build(&w, &mem, &info, rsdp, &result));
}
END_TEST

/* Every allocation may be the one that fails. */
START_TEST(test_acpi_no_memory)
{
	struct acpi_world w = world();

	ck_assert(acpi_build(&w, &mem, &info, rsdp, &result));
	for (uint32_t limit = arena_used - 1; limit > 0; limit--) {
		arena_used = 0;
		arena_limit = limit;
		ck_assert(!acpi_build(&w, &mem, &info, rsdp, &result));
	}
}
END_TEST

/* ---- SMBIOS ---- */

static uint8_t smbios[0x10000];
static struct smbios_result smbios_out;

static struct smbios_world smbios_world(void)
{
	struct smbios_world w = { .default_version = "4.17.1", .nr_cpus = 2, .cpu_mhz = 2445,
				  .cpu_signature = 0x306c3, .cpu_features = 0x178bfbff,
				  .memory_bytes = 80ull << 20 };

	for (unsigned int i = 0; i < 16; i++) {
		w.uuid[i] = (uint8_t)(0x10 + i);
	}
	return w;
}

/* The n-th structure of a type; walks the whole table and checks its shape. */
static uint8_t *structure(uint8_t type, unsigned int n)
{
	uint8_t *found = NULL;
	unsigned int count = 0, largest = 0;
	uint32_t i = 0;

	while (i < smbios_out.length) {
		uint8_t *s = smbios + i;
		uint32_t size = s[1];

		ck_assert_uint_ge(s[1], 4);
		if (s[0] == type && n-- == 0) {
			found = s;
		}
		while (s[size] != 0 || s[size + 1] != 0) {
			size++;
		}
		size += 2;
		largest = size > largest ? size : largest;
		count++;
		i += size;
		ck_assert(s[0] != 127 || i == smbios_out.length);
	}
	ck_assert_uint_eq(i, smbios_out.length);
	ck_assert_uint_eq(count, smbios_out.count);
	ck_assert_uint_eq(largest, smbios_out.max_size);
	return found;
}

/* String number n of a structure. */
static const char *text(const uint8_t *s, unsigned int n)
{
	const char *t = (const char *)s + s[1];

	ck_assert_uint_gt(n, 0);
	while (--n > 0) {
		t += strlen(t) + 1;
	}
	return t;
}

START_TEST(test_smbios_defaults)
{
	struct smbios_world w = smbios_world();
	static const uint8_t types[] = { 0, 1, 3, 4, 16, 17, 19, 20, 32, 127 };
	uint8_t *s;

	ck_assert(smbios_build(&w, smbios, sizeof(smbios), &smbios_out));
	for (unsigned int i = 0; i < sizeof(types); i++) {
		ck_assert_ptr_nonnull(structure(types[i], 0));
	}
	ck_assert_ptr_null(structure(2, 0));
	ck_assert_ptr_null(structure(11, 0));
	ck_assert_ptr_null(structure(22, 0));
	s = structure(1, 0);
	ck_assert_uint_eq(s[1], 27);
	ck_assert_str_eq(text(s, s[4]), "Xen");
	ck_assert_str_eq(text(s, s[5]), "HVM domU");
	ck_assert_str_eq(text(s, s[6]), "4.17.1");
	ck_assert_uint_eq(s[7], 0);
	ck_assert_mem_eq(s + 8, w.uuid, 16);
	s = structure(4, 1);
	ck_assert_uint_eq(s[1], 35);
	ck_assert_str_eq(text(s, s[4]), "CPU 2");
	ck_assert_uint_eq(u32(s + 8), 0x306c3);
	ck_assert_uint_eq(u16(s + 0x16), 2445);
	ck_assert_ptr_null(structure(4, 2));
	s = structure(17, 0);
	ck_assert_uint_eq(u16(s + 0x0c), 80);
	ck_assert_ptr_null(structure(17, 1));
	s = structure(19, 0);
	ck_assert_uint_eq(u32(s + 8), 80 * 1024 - 1);
}
END_TEST

START_TEST(test_smbios_large)
{
	struct smbios_world w = smbios_world();

	w.memory_bytes = 40ull << 30;
	w.nr_cpus = 128;
	ck_assert(smbios_build(&w, smbios, sizeof(smbios), &smbios_out));
	ck_assert_uint_eq(u16(structure(17, 1) + 0x0c), 0x4000);
	ck_assert_uint_eq(u16(structure(17, 2) + 0x0c), 0x2000);
	ck_assert_ptr_null(structure(17, 3));
	ck_assert_uint_eq(u32(structure(20, 2) + 4), 0x2000000);
	ck_assert_uint_eq(u32(structure(20, 2) + 8), 0x27fffff);
	ck_assert_str_eq(text(structure(4, 127), 1), "CPU 128");
	ck_assert_uint_eq(u16(structure(16, 0) + 13), 3);
}
END_TEST

START_TEST(test_smbios_strings)
{
	struct smbios_world w = smbios_world();
	uint8_t *s;

	w.strings.bios_vendor = "Vendor";
	w.strings.system_serial = "S-1";
	w.strings.board_product = "Board";
	w.strings.board_tag = "Tag";
	w.strings.case_serial = "C-1";
	w.strings.oem[0] = "one";
	w.strings.oem[1] = "two";
	w.strings.oem_count = 2;
	w.battery = true;
	w.strings.battery_name = "Cell";
	ck_assert(smbios_build(&w, smbios, sizeof(smbios), &smbios_out));
	s = structure(0, 0);
	ck_assert_str_eq(text(s, s[4]), "Vendor");
	s = structure(1, 0);
	ck_assert_str_eq(text(s, s[7]), "S-1");
	s = structure(2, 0);
	ck_assert_uint_eq(s[4], 0);
	ck_assert_str_eq(text(s, s[5]), "Board");
	ck_assert_str_eq(text(s, s[8]), "Tag");
	s = structure(3, 0);
	ck_assert_str_eq(text(s, s[7]), "C-1");
	s = structure(11, 0);
	ck_assert_uint_eq(s[4], 2);
	ck_assert_str_eq(text(s, 2), "two");
	s = structure(22, 0);
	ck_assert_str_eq(text(s, s[8]), "Cell");
}
END_TEST

START_TEST(test_smbios_given)
{
	/* Length, structure: a system of our choice, and a vendor's own. */
	uint8_t given[] = { 7, 0, 0, 0, 1, 4, 0, 1, 'X', 0, 0, 6, 0, 0, 0, 0x85, 4, 9, 9, 0, 0 };
	struct smbios_world w = smbios_world();

	w.given = given;
	w.given_size = sizeof(given);
	ck_assert(smbios_build(&w, smbios, sizeof(smbios), &smbios_out));
	ck_assert_str_eq(text(structure(1, 0), 1), "X");
	ck_assert_ptr_null(structure(1, 1));
	ck_assert_ptr_nonnull(structure(0x85, 0));
	given[0] = 200;
	ck_assert(!smbios_build(&w, smbios, sizeof(smbios), &smbios_out));
	given[0] = 5;
	ck_assert(!smbios_build(&w, smbios, sizeof(smbios), &smbios_out));
}
END_TEST

START_TEST(test_smbios_room)
{
	struct smbios_world w = smbios_world();
	uint32_t length;

	ck_assert(smbios_build(&w, smbios, sizeof(smbios), &smbios_out));
	length = smbios_out.length;
	ck_assert(smbios_build(&w, smbios, length, &smbios_out));
	for (uint32_t room = 0; room < length; room++) {
		ck_assert(!smbios_build(&w, smbios, room, &smbios_out));
	}
}
END_TEST

START_TEST(test_smbios_entry)
{
	const struct smbios_result r = { .length = 0x345, .count = 12, .max_size = 99 };
	uint8_t e[SMBIOS_ENTRY_SIZE];

	smbios_entry(e, 0xfc100000, &r);
	ck_assert_mem_eq(e, "_SM_", 4);
	ck_assert_uint_eq(mem_sum(e, sizeof(e)), 0);
	ck_assert_mem_eq(e + 16, "_DMI_", 5);
	ck_assert_uint_eq(mem_sum(e + 16, 15), 0);
	ck_assert_uint_eq(e[5], 31);
	ck_assert_uint_eq(u16(e + 8), 99);
	ck_assert_uint_eq(u16(e + 22), 0x345);
	ck_assert_uint_eq(u32(e + 24), 0xfc100000);
	ck_assert_uint_eq(u16(e + 28), 12);
	ck_assert_uint_eq(e[30], 0x24);
}
END_TEST

/* ---- MP and $PIR ---- */

START_TEST(test_mptable)
{
	const struct mptable_world w = { .nr_cpus = 2, .apic_id = apic_ids(), .cpu_signature = 0x306c3,
					 .cpu_features = 0x178bfbff, .lapic_version = 0x14 };
	uint8_t t[1024], *e;
	unsigned int count[5] = { 0 }, irqs = 0;

	ck_assert_uint_lt(mptable_size(2), sizeof(t));
	mptable_build(&w, t, 0xfc100180);
	ck_assert_mem_eq(t, "_MP_", 4);
	ck_assert_uint_eq(mem_sum(t, 16), 0);
	ck_assert_uint_eq(u32(t + 4), 0xfc100190);
	ck_assert_mem_eq(t + 16, "PCMP", 4);
	ck_assert_uint_eq(u16(t + 20) + 16, mptable_size(2));
	ck_assert_uint_eq(mem_sum(t + 16, u16(t + 20)), 0);
	ck_assert_uint_eq(u32(t + 16 + 36), 0xfee00000);
	for (e = t + 60; e < t + mptable_size(2); e += e[0] == 0 ? 20 : 8) {
		ck_assert_uint_lt(e[0], 5);
		count[e[0]]++;
		if (e[0] == 0) {
			ck_assert_uint_eq(e[1], (count[0] - 1) * 2);
			ck_assert_uint_eq(e[3], count[0] == 1 ? 3 : 1);
		}
		if (e[0] == 3 && e[1] == 0) {
			irqs |= 1u << e[5];
			ck_assert_uint_eq(e[6], 1);
			ck_assert_uint_eq(e[7], e[5] == 0 ? 2 : e[5]);
			ck_assert_uint_eq(u16(e + 2), PCI_ISA_MASK >> e[5] & 1 ? 0xf : 0);
		}
	}
	ck_assert_uint_eq(count[0], 2);
	ck_assert_uint_eq(count[1], 1);
	ck_assert_uint_eq(count[2], 1);
	ck_assert_uint_eq(count[3], 16);
	ck_assert_uint_eq(count[4], 2);
	ck_assert_uint_eq(irqs, 0xfffb);
	ck_assert_uint_eq(u16(t + 16 + 34), 22);
}
END_TEST

START_TEST(test_pirtable)
{
	uint8_t t[PIRTABLE_SIZE];

	pirtable_build(t);
	ck_assert_mem_eq(t, "$PIR", 4);
	ck_assert_uint_eq(u16(t + 6), sizeof(t));
	ck_assert_uint_eq(sizeof(t) % 16, 0);
	ck_assert_uint_eq(mem_sum(t, sizeof(t)), 0);
	ck_assert_uint_eq(t[9], 8);
	for (unsigned int dev = 1; dev <= PIRTABLE_SLOTS; dev++) {
		const uint8_t *s = t + 32 + (dev - 1) * 16;

		ck_assert_uint_eq(s[1], dev << 3);
		for (unsigned int pin = 0; pin < 4; pin++) {
			ck_assert_uint_eq(s[2 + 3 * pin], 0x60 + ((dev + pin) & 3));
			ck_assert_uint_eq(u16(s + 3 + 3 * pin), 0x0c20);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fw_tables");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_acpi_roots);
	tcase_add_test(t, test_acpi_fadt);
	tcase_add_test(t, test_acpi_madt);
	tcase_add_test(t, test_acpi_128_cpus);
	tcase_add_test(t, test_apic_ids);
	tcase_add_test(t, test_acpi_optional);
	tcase_add_test(t, test_acpi_extra);
	tcase_add_test(t, test_acpi_no_memory);
	tcase_add_test(t, test_smbios_defaults);
	tcase_add_test(t, test_smbios_large);
	tcase_add_test(t, test_smbios_strings);
	tcase_add_test(t, test_smbios_given);
	tcase_add_test(t, test_smbios_room);
	tcase_add_test(t, test_smbios_entry);
	tcase_add_test(t, test_mptable);
	tcase_add_test(t, test_pirtable);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
