/* traceview.c: order, cost of each exit from its vCPU's next record, summary. */
#include <string.h>

#include "toolstack/traceview.h"
#include "fake/suite.h"

#define EXIT(t, d, v, k, entered)                                                                  \
	{.tsc = (t), .event = OSTLER_TRACE_EXIT, .domain = (d), .vcpu = (v),                       \
	 .a = 0x72 | (uint64_t)(k) << 16 | (uint64_t)(uint32_t)(entered) << 32}

static struct traceview view;

static void setup(void)
{
	memset(&view, 0, sizeof(view));
}

/* Two vCPUs interleaved, another event in between, out of order at first. */
START_TEST(test_costs)
{
	struct ostler_trace_record r[] = {
		EXIT(1500, 1, 1, 3, 0), EXIT(1000, 1, 0, 7, 900), EXIT(2000, 1, 0, 3, 1700),
		{.tsc = 1600, .event = 7, .domain = 1, .vcpu = 0}, EXIT(2500, 1, 1, 3, 1550), EXIT(2600, 2, 0, 7, 2550),
	};
	uint64_t cost[6];

	traceview_sort(r, 6);
	ck_assert_uint_eq(r[0].tsc, 1000);
	ck_assert_uint_eq(r[2].tsc, 1600);
	traceview_costs(r, 6, cost, &view);
	ck_assert_uint_eq(cost[0], 700);
	ck_assert_uint_eq(cost[1], 50);
	ck_assert_uint_eq(cost[2], TRACEVIEW_UNKNOWN);
	ck_assert_uint_eq(cost[3], TRACEVIEW_UNKNOWN);
	ck_assert_uint_eq(view.kind[7].count, 2);
	ck_assert_uint_eq(view.kind[7].costed, 1);
	ck_assert_uint_eq(view.kind[7].total, 700);
	ck_assert_uint_eq(view.kind[3].count, 3);
	ck_assert_uint_eq(view.kind[3].min, 50);
	ck_assert_uint_eq(view.kind[3].max, 50);
}
END_TEST

/* The low half of the counter wraps; a gap that is too long is not guessed. */
START_TEST(test_wrap)
{
	struct ostler_trace_record r[] = {
		EXIT(0xfffffff0, 1, 0, 1, 0), EXIT(0x100000100, 1, 0, 1, 0x10), EXIT(0x300000000, 1, 0, 1, 0x200),
		EXIT(0x300000100, 1, 0, 1, 0xf0000000),
	};
	uint64_t cost[4];

	traceview_costs(r, 4, cost, &view);
	ck_assert_uint_eq(cost[0], 0x20);
	ck_assert_uint_eq(cost[1], TRACEVIEW_UNKNOWN);
	/* Entered before it was left: a lie. */
	ck_assert_uint_eq(cost[2], TRACEVIEW_UNKNOWN);
}
END_TEST

START_TEST(test_ns)
{
	ck_assert_uint_eq(traceview_ns(3000, 3000000), 1000);
	ck_assert_uint_eq(traceview_ns(UINT64_C(1) << 60, 1000000), UINT64_C(1) << 60);
	ck_assert_uint_eq(traceview_ns(5, 0), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_costs, test_wrap, test_ns, NULL};

	return suite_run("traceview", setup, tests);
}
