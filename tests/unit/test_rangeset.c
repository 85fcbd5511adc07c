/* rangeset.c against a set of booleans, and at the ends of the number range. */
#include <string.h>
#include "lib/err.h"
#include "lib/rangeset.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define NUMBERS 96u

static struct range storage[NUMBERS];
static struct rangeset rs;

static struct rnd random_state = { 88172645463325252 };

static uint64_t any(void)
{
	return rnd_next(&random_state);
}

static void setup(void)
{
	rangeset_init(&rs, storage, NUMBERS);
}

/* Sorted, not touching, and the same members as the model. */
static void check(const bool *model)
{
	for (unsigned int i = 0; i < rs.count; i++) {
		MUST(rs.range[i].first <= rs.range[i].last);
		MUST(i == 0 || rs.range[i - 1].last + 1 < rs.range[i].first);
	}
	for (unsigned int i = 0; i < NUMBERS; i++) {
		MUST(rangeset_contains(&rs, i, i) == model[i]);
	}
}

START_TEST(test_model)
{
	bool model[NUMBERS] = { false };

	for (unsigned int turn = 0; turn < 20000; turn++) {
		unsigned int a = any() % NUMBERS, b = any() % NUMBERS, first = MIN(a, b), last = MAX(a, b);
		bool all = true, some = false, insert = any() & 1;

		if (any() % 4) {
			last = first + (unsigned int)(any() % 4);
			last = MIN(last, NUMBERS - 1);
		}
		for (unsigned int i = first; i <= last; i++) {
			all = all && model[i];
			some = some || model[i];
		}
		MUST(rangeset_contains(&rs, first, last) == all);
		MUST(rangeset_overlaps(&rs, first, last) == some);
		MUST((insert ? rangeset_insert(&rs, first, last) : rangeset_remove(&rs, first, last)) == 0);
		for (unsigned int i = first; i <= last; i++) {
			model[i] = insert;
		}
		check(model);
	}
}
END_TEST

START_TEST(test_ends)
{
	ck_assert_int_eq(rangeset_insert(&rs, 0, 0), 0);
	ck_assert_int_eq(rangeset_insert(&rs, UINT64_MAX, UINT64_MAX), 0);
	ck_assert_uint_eq(rs.count, 2);
	ck_assert_int_eq(rangeset_insert(&rs, 1, UINT64_MAX - 1), 0);
	ck_assert_uint_eq(rs.count, 1);
	ck_assert(rangeset_contains(&rs, 0, UINT64_MAX));
	ck_assert_int_eq(rangeset_remove(&rs, 0, UINT64_MAX), 0);
	ck_assert_uint_eq(rs.count, 0);
	ck_assert_int_eq(rangeset_insert(&rs, 2, 1), -EINVAL);
	ck_assert_int_eq(rangeset_remove(&rs, 2, 1), -EINVAL);
	ck_assert(!rangeset_contains(&rs, 5, 5) && !rangeset_overlaps(&rs, 0, UINT64_MAX));
}
END_TEST

/* What does not fit is refused and changes nothing; what merges or shrinks always fits. */
START_TEST(test_full)
{
	struct range small[2], before[2];

	rangeset_init(&rs, small, 2);
	ck_assert_int_eq(rangeset_insert(&rs, 10, 19), 0);
	ck_assert_int_eq(rangeset_insert(&rs, 30, 39), 0);
	memcpy(before, small, sizeof(small));
	ck_assert_int_eq(rangeset_insert(&rs, 50, 59), -ENOSPC);
	ck_assert_int_eq(rangeset_remove(&rs, 12, 13), -ENOSPC);
	ck_assert_mem_eq(before, small, sizeof(small));
	ck_assert_int_eq(rangeset_insert(&rs, 20, 29), 0);
	ck_assert_uint_eq(rs.count, 1);
	ck_assert_int_eq(rangeset_remove(&rs, 12, 13), 0);
	ck_assert_uint_eq(rs.count, 2);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_model, test_ends, test_full, NULL };

	return suite_run("rangeset", setup, tests);
}
