/* vtick.c: what each policy makes of ticks that come due while one waits, or that are found late. */
#include <string.h>
#include "dev/vtick.h"
#include "fake/suite.h"

static struct vtick t;

static void setup(void)
{
	memset(&t, 0, sizeof(t));
}

START_TEST(test_on_time)
{
	for (unsigned int policy = 0; policy < VTICK_POLICIES; policy++) {
		setup();
		t.policy = policy;
		for (unsigned int i = 0; i < 100; i++) {
			ck_assert(vtick_due(&t, 1, false));
			ck_assert_uint_eq(t.owed, 0);
			ck_assert(!vtick_restarts(&t));
		}
	}
}
END_TEST

START_TEST(test_catchup)
{
	t.policy = VTICK_CATCHUP;
	ck_assert(!vtick_due(&t, 1, true));
	ck_assert(!vtick_due(&t, 3, true));
	ck_assert_uint_eq(t.owed, 4);
	ck_assert(!vtick_taken(&t, true));
	ck_assert(vtick_taken(&t, false));
	/* One due now is raised, the others wait for their turn. */
	ck_assert(vtick_due(&t, 1, false));
	ck_assert_uint_eq(t.owed, 3);
	ck_assert(vtick_taken(&t, false));
	ck_assert(vtick_taken(&t, false));
	ck_assert(vtick_taken(&t, false));
	ck_assert(!vtick_taken(&t, false));
	ck_assert(!vtick_restarts(&t));
	/* Found late without one waiting: the first at once. */
	ck_assert(vtick_due(&t, 5, false));
	ck_assert_uint_eq(t.owed, 4);
	/* There is an end to it. */
	ck_assert(!vtick_due(&t, ~0ull, true));
	ck_assert_uint_eq(t.owed, VTICK_OWED_MAX);
	ck_assert(!vtick_due(&t, 1, true));
	ck_assert_uint_eq(t.owed, VTICK_OWED_MAX);
	ck_assert(vtick_due(&t, 1, false));
	ck_assert_uint_eq(t.owed, VTICK_OWED_MAX - 1);
	vtick_forget(&t);
	ck_assert(!vtick_taken(&t, false));
}
END_TEST

START_TEST(test_delay)
{
	t.policy = VTICK_DELAY;
	ck_assert(!vtick_due(&t, 1, true));
	ck_assert(!vtick_due(&t, 1, true));
	ck_assert_uint_ne(t.owed, 0);
	ck_assert(!vtick_restarts(&t));
	ck_assert(!vtick_taken(&t, true));
	/* The one that waited was taken: time goes on from here. */
	ck_assert(!vtick_taken(&t, false));
	ck_assert(vtick_restarts(&t));
	ck_assert(!vtick_restarts(&t));
	ck_assert_uint_eq(t.owed, 0);
	/* Found late: one now, the next a period later. */
	ck_assert(vtick_due(&t, 7, false));
	ck_assert(vtick_restarts(&t));
}
END_TEST

START_TEST(test_merge_and_discard)
{
	t.policy = VTICK_MERGE;
	ck_assert(vtick_due(&t, 7, false));
	ck_assert(!vtick_due(&t, 7, true));
	t.policy = VTICK_DISCARD;
	ck_assert(!vtick_due(&t, 7, false));
	ck_assert(!vtick_due(&t, 1, true));
	ck_assert(vtick_due(&t, 1, false));
	ck_assert_uint_eq(t.owed, 0);
	ck_assert(!vtick_restarts(&t));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_on_time, test_catchup, test_delay, test_merge_and_discard, NULL
	};

	return suite_run("vtick", setup, tests);
}
