/* bus.c: order, overlap, bounds, and look-up against a plain search. */
#include <errno.h>
#include "dev/bus.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct bus b;

static enum io_result fn(void *dev, struct io_access *a)
{
	return IO_DONE;
}

static void setup(void)
{
	bus_init(&b);
}

START_TEST(test_find)
{
	int pic, pit, rtc;

	ck_assert_ptr_null(bus_find(&b, 0));
	ck_assert_int_eq(bus_add(&b, 0x70, 0x71, fn, &rtc), 0);
	ck_assert_int_eq(bus_add(&b, 0x20, 0x21, fn, &pic), 0);
	ck_assert_int_eq(bus_add(&b, 0x40, 0x43, fn, &pit), 0);
	ck_assert_ptr_null(bus_find(&b, 0x1f));
	ck_assert_ptr_eq(bus_find(&b, 0x20)->dev, &pic);
	ck_assert_ptr_eq(bus_find(&b, 0x21)->dev, &pic);
	ck_assert_ptr_null(bus_find(&b, 0x22));
	ck_assert_ptr_eq(bus_find(&b, 0x43)->dev, &pit);
	ck_assert_ptr_eq(bus_find(&b, 0x70)->dev, &rtc);
	ck_assert_ptr_null(bus_find(&b, 0x72));
	ck_assert_ptr_null(bus_find(&b, ~0ull));
	ck_assert_int_eq(bus_add(&b, ~0ull, ~0ull, fn, &pic), 0);
	ck_assert_ptr_eq(bus_find(&b, ~0ull)->dev, &pic);
}
END_TEST

START_TEST(test_refused)
{
	ck_assert_int_eq(bus_add(&b, 0x20, 0x1f, fn, NULL), -EINVAL);
	ck_assert_int_eq(bus_add(&b, 0x20, 0x21, NULL, NULL), -EINVAL);
	ck_assert_int_eq(bus_add(&b, 0x40, 0x4f, fn, NULL), 0);
	ck_assert_int_eq(bus_add(&b, 0x30, 0x40, fn, NULL), -EEXIST);
	ck_assert_int_eq(bus_add(&b, 0x4f, 0x60, fn, NULL), -EEXIST);
	ck_assert_int_eq(bus_add(&b, 0x44, 0x45, fn, NULL), -EEXIST);
	ck_assert_int_eq(bus_add(&b, 0, ~0ull, fn, NULL), -EEXIST);
	for (unsigned int i = 1; i < BUS_RANGES; i++) {
		ck_assert_int_eq(bus_add(&b, 0x1000 * i, 0x1000 * i + 0xf, fn, NULL), 0);
	}
	ck_assert_int_eq(bus_add(&b, 0x80, 0x81, fn, NULL), -ENOSPC);
}
END_TEST

START_TEST(test_random)
{
	struct rnd r = { 32 };

	for (unsigned int round = 0; round < 200; round++) {
		bus_init(&b);
		for (unsigned int i = 0; i < 60; i++) {
			uint64_t first = rnd_below(&r, 512);

			bus_add(&b, first, first + rnd_below(&r, 16), fn, NULL);
		}
		for (uint64_t addr = 0; addr < 540; addr++) {
			const struct bus_range *expected = NULL;

			for (unsigned int i = 0; i < b.count; i++) {
				if (b.range[i].first <= addr && addr <= b.range[i].last) {
					ck_assert_ptr_null(expected);
					expected = &b.range[i];
				}
			}
			ck_assert_ptr_eq(bus_find(&b, addr), expected);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_find, test_refused, test_random, NULL };

	return suite_run("bus", setup, tests);
}
