/* sched_credit.c: shares follow weights, sleepers get in quickly and cannot save up. */
#include "core/sched_credit.h"
#include "lib/util.h"
#include "fake/suite.h"

#define UNITS 3u

static struct sched_unit u[UNITS];
static int64_t vtime;

static void setup(void)
{
	vtime = 0;
	for (unsigned int i = 0; i < UNITS; i++) {
		u[i] = (struct sched_unit){ .weight = SCHED_WEIGHT_DEFAULT };
	}
}

static struct sched_unit *smallest(void)
{
	struct sched_unit *best = &u[0];

	for (unsigned int i = 1; i < UNITS; i++) {
		if (u[i].credit < best->credit) {
			best = &u[i];
		}
	}
	return best;
}

/* Busy units: over a second each has its part of the time. */
START_TEST(test_shares)
{
	u[1].weight = 512;
	u[2].weight = 256;
	for (unsigned int i = 0; i < 1000; i++) {
		struct sched_unit *run = smallest();

		sched_credit_charge(run, SCHED_SLICE_NS);
	}
	ck_assert_uint_le(u[0].run_total, 251 * SCHED_SLICE_NS);
	ck_assert_uint_ge(u[0].run_total, 249 * SCHED_SLICE_NS);
	ck_assert_uint_ge(u[1].run_total, 499 * SCHED_SLICE_NS);
}
END_TEST

START_TEST(test_weight_zero)
{
	u[0].weight = 0;
	sched_credit_charge(&u[0], 1000);
	ck_assert_int_eq(u[0].credit, 1000);
}
END_TEST

/* A unit that slept for long preempts a busy one at once, and has at most the bonus ahead of it. */
START_TEST(test_sleeper)
{
	sched_credit_charge(&u[0], 1000 * SCHED_SLICE_NS);
	vtime = u[0].credit;
	sched_credit_wake(&u[1], vtime);
	ck_assert(sched_credit_better(&u[1], &u[0], 0));
	ck_assert_int_eq(u[1].credit, vtime - SCHED_BONUS_NS);
	/* After it has used the bonus it waits for its turn like anybody. */
	sched_credit_charge(&u[1], (uint64_t)SCHED_BONUS_NS);
	ck_assert(!sched_credit_better(&u[1], &u[0], 0));
	/* As far as the other: they take turns. Farther: it waits. */
	ck_assert(sched_credit_better(&u[1], &u[0], SCHED_SLICE_NS));
	ck_assert(sched_credit_better(&u[1], &u[0], SCHED_LOOK_NS));
	sched_credit_charge(&u[1], 1ull << SCHED_STEP_SHIFT);
	ck_assert(!sched_credit_better(&u[1], &u[0], SCHED_LOOK_NS));
	ck_assert(!sched_credit_better(&u[1], &u[0], SCHED_SLICE_NS));
}
END_TEST

/* Who has used more than its share does not gain by a short sleep, and nobody cuts in without having been woken. */
START_TEST(test_no_gain)
{
	vtime = 100 * (int64_t)SCHED_SLICE_NS;
	u[0].credit = vtime;
	u[1].credit = vtime + 7;
	sched_credit_wake(&u[1], vtime);
	ck_assert_int_eq(u[1].credit, vtime + 7);
	ck_assert(!sched_credit_better(&u[1], &u[0], 0));
	u[2].credit = vtime - 3 * SCHED_GRAIN_NS;
	ck_assert(!sched_credit_better(&u[2], &u[0], 0));
	ck_assert(sched_credit_better(&u[2], &u[0], SCHED_SLICE_NS));
}
END_TEST

/* A group has its cap in each period; a debt is paid from the next, what is left over is not kept. */
START_TEST(test_budget)
{
	struct sched_group g = { .cap = 20, .units = 1 };
	uint64_t now = 5 * SCHED_PERIOD_NS;

	u[0].group = u[1].group = &g;
	ck_assert(sched_credit_in_cap(&u[0], now));
	ck_assert_uint_eq(sched_credit_cap_left(&u[0]), 2000000);
	sched_credit_charge(&u[0], 1500000);
	ck_assert_uint_eq(sched_credit_cap_left(&u[1]), 500000);
	sched_credit_charge(&u[1], 2500000);
	ck_assert(!sched_credit_in_cap(&u[0], now));
	/* A debt of 2 ms: the next period pays it, the one after that is free. */
	ck_assert(!sched_credit_in_cap(&u[0], now + SCHED_PERIOD_NS));
	ck_assert(sched_credit_in_cap(&u[0], now + 2 * SCHED_PERIOD_NS));
	ck_assert_uint_eq(sched_credit_cap_left(&u[0]), 2000000);
	ck_assert(sched_credit_in_cap(&u[0], now + 100 * SCHED_PERIOD_NS));
	ck_assert_uint_eq(sched_credit_cap_left(&u[0]), 2000000);
	g.units = 4;
	ck_assert_uint_eq(sched_credit_cap_left(&u[0]), 500000);
	g.cap = 0;
	ck_assert_uint_eq(sched_credit_cap_left(&u[0]), 0);
	ck_assert(sched_credit_in_cap(&u[2], now));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_shares, test_weight_zero, test_sleeper, test_no_gain, test_budget, NULL };

	return suite_run("sched_credit", setup, tests);
}
