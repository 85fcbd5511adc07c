/* memmap.c and memplan.c: firmware maps in any state, and who gets which memory. */
#include <string.h>
#include "arch/boot/memmap.h"
#include "arch/boot/memplan.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static struct bootinfo b;
static struct range storage[64];
static struct rangeset ram;

static void setup(void)
{
	memset(&b, 0, sizeof(b));
	rangeset_init(&ram, storage, 64);
}

/* An ordinary PC with 5 GiB. */
static void pc(void)
{
	ck_assert(memmap_add(&b, 4 * GIB, 2 * GIB, E820_RAM));
	ck_assert(memmap_add(&b, 0xfffc0000, 0x40000, E820_RESERVED));
	ck_assert(memmap_add(&b, 0, 0x9fc00, E820_RAM));
	ck_assert(memmap_add(&b, 0x9fc00, 0x400, E820_RESERVED));
	ck_assert(memmap_add(&b, MIB, 3 * GIB - MIB - 0x21000, E820_RAM));
	ck_assert(memmap_add(&b, 3 * GIB - 0x21000, 0x21000, E820_ACPI));
	memmap_finish(&b);
}

START_TEST(test_sorted)
{
	pc();
	ck_assert_uint_eq(b.regions, 6);
	for (unsigned int i = 1; i < b.regions; i++) {
		ck_assert_uint_ge(b.map[i].start, b.map[i - 1].start + b.map[i - 1].size);
	}
}
END_TEST

START_TEST(test_overlap)
{
	memmap_add(&b, 0, 100, E820_RAM);
	memmap_add(&b, 50, 100, E820_RESERVED);
	memmap_add(&b, 90, 100, E820_RAM);
	memmap_add(&b, 150, 5, E820_UNUSABLE);
	memmap_add(&b, 190, 10, E820_RAM);      /* touches: merged */
	memmap_add(&b, 7, 0, E820_RESERVED);    /* empty */
	memmap_add(&b, ~0ull - 3, 10, E820_RAM);        /* wraps */
	memmap_finish(&b);
	ck_assert_uint_eq(b.regions, 4);
	ck_assert(b.map[0].size == 50 && b.map[0].type == E820_RAM);
	ck_assert(b.map[1].size == 100 && b.map[1].type == E820_RESERVED);
	ck_assert(b.map[2].size == 5 && b.map[2].type == E820_UNUSABLE);
	ck_assert(b.map[3].start == 155 && b.map[3].size == 45);
}
END_TEST

/* Random maps: afterwards every address has the strongest type that claimed it. */
START_TEST(test_random)
{
	struct rnd r = { 4711 };

	for (unsigned int turn = 0; turn < 500; turn++) {
		uint32_t model[256] = { 0 }, found[256] = { 0 };
		static const uint32_t strong[] = { 0, 1, 4, 2, 3, 5 };  /* strength by type */

		setup();
		for (unsigned int i = 0; i < 30; i++) {
			uint64_t start = rnd_below(&r, 200), size = rnd_below(&r, 50);
			uint32_t type = 1 + (uint32_t)rnd_below(&r, 5);

			memmap_add(&b, start, size, type);
			for (uint64_t a = start; a < start + size; a++) {
				model[a] = !model[a] || strong[type] > strong[model[a]] ? type : model[a];
			}
		}
		memmap_finish(&b);
		for (unsigned int i = 0; i < b.regions; i++) {
			for (uint64_t a = b.map[i].start; a < b.map[i].start + b.map[i].size; a++) {
				MUST(found[a] == 0);
				found[a] = b.map[i].type;
			}
		}
		MUST(memcmp(model, found, sizeof(model)) == 0);
	}
}
END_TEST

START_TEST(test_full)
{
	for (unsigned int i = 0; i < BOOT_MEMMAP_MAX; i++) {
		ck_assert(memmap_add(&b, i * 100, 50, E820_RAM));
	}
	ck_assert(!memmap_add(&b, 1 << 20, 50, E820_RAM));
	memmap_finish(&b);
	ck_assert_uint_eq(b.regions, BOOT_MEMMAP_MAX);
}
END_TEST

START_TEST(test_plan)
{
	uint64_t addr;

	pc();
	ck_assert_uint_eq(memplan_ram(&b, &ram), 0x9f000 + (3 * GIB - MIB - 0x21000) + 2 * GIB);
	ck_assert_uint_eq(memplan_trampoline(&ram), 0x9e000);
	ck_assert(memplan_find(&ram, 64 * MIB, 4096, 4 * GIB, &addr));
	ck_assert_uint_eq(addr, 3 * GIB - 0x21000 - 64 * MIB);
	ck_assert(memplan_find(&ram, 64 * MIB, 2 * MIB, ~0ull, &addr));
	ck_assert_uint_eq(addr, 6 * GIB - 64 * MIB);
	ck_assert(!memplan_find(&ram, 4 * GIB, 4096, ~0ull, &addr));
	ck_assert(!memplan_find(&ram, 4096, 4096, 0, &addr));
	/* 512 MiB of RAM: the hole below 1 MiB pushes the boundary up. */
	ck_assert_uint_eq(memplan_boundary(&ram, 512 * MIB), 514 * MIB);
	/* More than there is below 4 GiB. */
	ck_assert_uint_eq(memplan_boundary(&ram, 4 * GIB) % (2 * MIB), 0);
	ck_assert_uint_gt(memplan_boundary(&ram, 4 * GIB), 5 * GIB);
}
END_TEST

START_TEST(test_dom0_size)
{
	ck_assert_uint_eq(memplan_dom0_size(8 * GIB, 0), GIB);
	ck_assert_uint_eq(memplan_dom0_size(GIB, 0), 512 * MIB);
	ck_assert_uint_eq(memplan_dom0_size(8 * GIB, 3 * GIB), 3 * GIB);
	/* The hypervisor keeps its minimum. */
	ck_assert_uint_eq(memplan_dom0_size(GIB, 8 * GIB), GIB - 64 * MIB);
	ck_assert_uint_eq(memplan_dom0_size(100 * MIB, 90 * MIB), 50 * MIB);
}
END_TEST

START_TEST(test_no_low_memory)
{
	memmap_add(&b, MIB, 64 * MIB, E820_RAM);
	memmap_finish(&b);
	memplan_ram(&b, &ram);
	ck_assert_uint_eq(memplan_trampoline(&ram), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_sorted, test_overlap,  test_random,	      test_full,
					      test_plan,   test_dom0_size, test_no_low_memory, NULL };

	return suite_run("memplan", setup, tests);
}
