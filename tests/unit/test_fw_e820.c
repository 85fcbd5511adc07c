/* The memory map that the firmware hands to SeaBIOS. */
#include <check.h>
#include <stdlib.h>

#include "hvmloader/e820.h"
#include "hvmloader/layout.h"

static struct e820_map map;

static void expect(unsigned int i, uint64_t start, uint64_t end, uint32_t type)
{
	ck_assert_uint_lt(i, map.count);
	ck_assert_uint_eq(map.entry[i].addr, start);
	ck_assert_uint_eq(map.entry[i].addr + map.entry[i].size, end);
	ck_assert_uint_eq(map.entry[i].type, type);
}

static void expect_sorted(void)
{
	for (unsigned int i = 1; i < map.count; i++) {
		ck_assert_uint_ge(map.entry[i].addr,
				  map.entry[i - 1].addr + map.entry[i - 1].size);
	}
}

/* The map of a stock 80 MiB guest. */
START_TEST(test_small_guest)
{
	const struct e820_entry given[] = { { 0x100000, 0x5000000 - 0x100000, E820_RAM } };
	struct e820_world w = { given, 1, 0xc0000, 0xfc00b000, 0x5000000, 0 };

	ck_assert(e820_build(&map, &w));
	ck_assert_uint_eq(map.count, 5);
	expect(0, 0, 0xa0000, E820_RAM);
	expect(1, 0xc0000, 0x100000, E820_RESERVED);
	expect(2, 0x100000, 0x5000000, E820_RAM);
	expect(3, 0xfc000000, 0xfc00b000, E820_NVS);
	expect(4, 0xfc00b000, GIB4, E820_RESERVED);
}
END_TEST

START_TEST(test_high_ram_and_given_reserved)
{
	const struct e820_entry given[] = {
		{ 0, 0xf0000000, E820_RAM },
		{ GIB4, 0x40000000, E820_RAM },
		{ 0x80000000, 0x1000, E820_RESERVED },
		{ 0xfeff0000, 0x10000, E820_RESERVED },
	};
	struct e820_world w = { given, 4, 0xe0000, 0xfc00b000, 0xf0000000, GIB4 + 0x40000000 };

	ck_assert(e820_build(&map, &w));
	expect_sorted();
	ck_assert_uint_eq(map.count, 8);
	expect(1, 0xe0000, 0x100000, E820_RESERVED);
	expect(2, 0x100000, 0x80000000, E820_RAM);
	expect(3, 0x80000000, 0x80001000, E820_RESERVED);
	expect(4, 0x80001000, 0xf0000000, E820_RAM);
	expect(6, 0xfc00b000, GIB4, E820_RESERVED);
	expect(7, GIB4, GIB4 + 0x40000000, E820_RAM);
}
END_TEST

/* RAM was moved out of the PCI window, and a page was taken: the toolstack's map is out of date. */
START_TEST(test_moved_ram)
{
	const struct e820_entry given[] = { { 0x100000, 0xf0000000 - 0x100000, E820_RAM } };
	struct e820_world w = { given, 1, 0xc0000, 0xfc00b000, 0xe0000000, GIB4 + 0x0ffff000 };

	ck_assert(e820_build(&map, &w));
	expect_sorted();
	expect(2, 0x100000, 0xe0000000, E820_RAM);
	expect(map.count - 1, GIB4, GIB4 + 0x0ffff000, E820_RAM);
}
END_TEST

START_TEST(test_add_fills_gaps)
{
	map.count = 0;
	ck_assert(e820_add(&map, 0x2000, 0x3000, E820_NVS));
	ck_assert(e820_add(&map, 0x5000, 0x6000, E820_RESERVED));
	ck_assert(e820_add(&map, 0x1000, 0x7000, E820_RAM));
	ck_assert_uint_eq(map.count, 5);
	expect(0, 0x1000, 0x2000, E820_RAM);
	expect(1, 0x2000, 0x3000, E820_NVS);
	expect(2, 0x3000, 0x5000, E820_RAM);
	expect(3, 0x5000, 0x6000, E820_RESERVED);
	expect(4, 0x6000, 0x7000, E820_RAM);
	ck_assert(e820_add(&map, 0x2000, 0x3000, E820_RAM)); /* nothing left to fill */
	ck_assert(e820_add(&map, 0x9000, 0x9000, E820_RAM));
	ck_assert(e820_add(&map, 0x9000, 0x8000, E820_RAM));
	ck_assert_uint_eq(map.count, 5);
	ck_assert(e820_add(&map, 0x7000, 0x8000, E820_RAM)); /* merges */
	ck_assert_uint_eq(map.count, 5);
	expect(4, 0x6000, 0x8000, E820_RAM);
}
END_TEST

START_TEST(test_full)
{
	map.count = 0;
	for (unsigned int i = 0; i < E820_MAX; i++) {
		ck_assert(e820_add(&map, i * 0x2000ull, i * 0x2000ull + 0x1000, E820_RAM));
	}
	ck_assert(!e820_add(&map, 0x10000000, 0x10001000, E820_RAM));
	ck_assert_uint_eq(map.count, E820_MAX);
}
END_TEST

START_TEST(test_hostile_given)
{
	const struct e820_entry given[] = { { ~0ull - 0xfff, 0x10000, E820_RAM },
					    { 0x100000, 0x700000, E820_RAM } };
	struct e820_world w = { given, 2, 0xc0000, 0xfc00b000, 0x800000, 0 };

	ck_assert(e820_build(&map, &w));
	expect_sorted();
	ck_assert_uint_eq(map.count, 5);
}
END_TEST

START_TEST(test_find)
{
	const struct e820_entry given[] = { { 0x1000, 0x1000, E820_RAM },
					    { 0xfc200000, 0x1000, E820_RESERVED } };

	ck_assert_ptr_eq(e820_find(given, 2, E820_RESERVED, 0xfc100000, 0xfe000000), &given[1]);
	ck_assert_ptr_null(e820_find(given, 2, E820_RESERVED, 0xfc201000, 0xfe000000));
	ck_assert_str_eq(e820_type_name(E820_NVS), "ACPI NVS");
	ck_assert_str_eq(e820_type_name(0), "unknown type");
	ck_assert_str_eq(e820_type_name(77), "unknown type");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fw_e820");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_test(t, test_small_guest);
	tcase_add_test(t, test_high_ram_and_given_reserved);
	tcase_add_test(t, test_moved_ram);
	tcase_add_test(t, test_add_fills_gaps);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_hostile_given);
	tcase_add_test(t, test_find);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
