/* Memory type registers of the firmware, against made-up registers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hvmloader/mtrr.h"

static uint64_t msr[0x400];

static uint64_t fake_rdmsr(void *ctx, uint32_t index)
{
	(void)ctx;
	ck_assert_uint_lt(index, 0x400);
	return msr[index];
}

static void fake_wrmsr(void *ctx, uint32_t index, uint64_t value)
{
	(void)ctx;
	ck_assert_uint_lt(index, 0x400);
	/* Nothing but the enable may change while the registers are in force. */
	ck_assert(index == 0x2ff || msr[0x2ff] == 0);
	msr[index] = value;
}

static const struct mtrr_ops ops = { fake_rdmsr, fake_wrmsr, NULL };

static void setup(void)
{
	memset(msr, 0xa5, sizeof(msr));
	msr[0xfe] = 0x108;
}

START_TEST(test_default_window)
{
	const struct mtrr_range ranges[] = { { 0xf0000000, 0xfc000000 }, { 0, 0 } };
	struct mtrr_report r;

	mtrr_program(&ops, 40, ranges, 2, &r);
	ck_assert(r.fixed && r.complete);
	ck_assert_uint_eq(r.used, 2);
	ck_assert_uint_eq(r.available, 8);
	ck_assert_uint_eq(msr[0x200], 0xf0000000);
	ck_assert_uint_eq(msr[0x201], 0xfff8000800);
	ck_assert_uint_eq(msr[0x202], 0xf8000000);
	ck_assert_uint_eq(msr[0x203], 0xfffc000800);
	ck_assert_uint_eq(msr[0x204], 0);
	ck_assert_uint_eq(msr[0x20f], 0);
	ck_assert_uint_eq(msr[0x250], 0x0606060606060606);
	ck_assert_uint_eq(msr[0x259], 0x0101010101010101);
	ck_assert_uint_eq(msr[0x26f], 0x0606060606060606);
	ck_assert_uint_eq(msr[0x2ff], 0xc06);
}
END_TEST

START_TEST(test_high_window)
{
	const struct mtrr_range ranges[] = { { 0x80000000, 0xfc000000 },
					     { 0x140000000, 0x180000000 } };
	struct mtrr_report r;

	mtrr_program(&ops, 36, ranges, 2, &r);
	ck_assert(r.complete);
	ck_assert_uint_eq(r.used, 6);
	ck_assert_uint_eq(msr[0x200], 0x80000000);
	ck_assert_uint_eq(msr[0x201], 0xfc0000800);
	ck_assert_uint_eq(msr[0x20a], 0x140000000);
	ck_assert_uint_eq(msr[0x20b], 0xfc0000800);
}
END_TEST

START_TEST(test_too_few)
{
	const struct mtrr_range ranges[] = { { 0x80000000, 0xfc000000 } };
	struct mtrr_report r;

	msr[0xfe] = 0x002;
	mtrr_program(&ops, 36, ranges, 1, &r);
	ck_assert(!r.complete && !r.fixed);
	ck_assert_uint_eq(r.used, 2);
	ck_assert_uint_eq(msr[0x204], 0xa5a5a5a5a5a5a5a5);
	ck_assert_uint_eq(msr[0x250], 0xa5a5a5a5a5a5a5a5);
	ck_assert_uint_eq(msr[0x2ff], 0x806);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fw_mtrr");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_default_window);
	tcase_add_test(t, test_high_window);
	tcase_add_test(t, test_too_few);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
