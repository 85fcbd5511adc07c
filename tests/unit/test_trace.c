/* trace.c: what tools read of a ring that is written all the time. */
#include <string.h>

#include "core/heap.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/trace.h"
#include "fake/suite.h"
#include "lib/util.h"

#define RING 2048u

static struct cpu cpu;
struct cpu *cpus[MAX_CPUS] = { &cpu };
static uint64_t tsc;

struct cpu *hw_cpu_base(void) { return &cpu; }
uint64_t hw_rdtsc(void) { return ++tsc; }
void *heap_alloc(size_t size) { return calloc(1, size); }
void log_at(enum log_level level, const char *fmt, ...) { }

static void setup(void)
{
	cpu = (struct cpu){ .id = 0 };
	tsc = 0;
	ck_assert_int_eq(trace_cpu_alloc(&cpu), 0);
}

static void write_records(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_uint_eq(trace(TRC_EXIT, 3, 1, tsc, 7), tsc);
	}
}

START_TEST(test_read)
{
	struct trace_record r[8];
	uint64_t from = 0;

	ck_assert_uint_eq(trace_read(0, &from, r, 8), 0);
	ck_assert_uint_eq(from, 0);
	write_records(10);
	ck_assert_uint_eq(trace_read(0, &from, r, 8), 8);
	ck_assert_uint_eq(from, 0);
	ck_assert_uint_eq(r[7].a, 7);
	ck_assert_uint_eq(r[7].tsc, 8);
	ck_assert_uint_eq(r[7].domain, 3);
	from = 8;
	ck_assert_uint_eq(trace_read(0, &from, r, 8), 2);
	ck_assert_uint_eq(r[1].tsc, 10);
	from = 10;
	ck_assert_uint_eq(trace_read(0, &from, r, 8), 0);
	/* Beyond the end: nothing, and back to it. */
	from = 1000000;
	ck_assert_uint_eq(trace_read(0, &from, r, 8), 0);
	ck_assert_uint_eq(from, 10);
}
END_TEST

/* What was overwritten is skipped, and the reader sees by how much; the slot that may be written right now is not read. */
START_TEST(test_lost)
{
	static struct trace_record r[RING];
	uint64_t from = 5;

	write_records(3 * RING + 100);
	ck_assert_uint_eq(trace_read(0, &from, r, RING), RING - 1);
	ck_assert_uint_eq(from, 2 * RING + 101);
	for (unsigned int i = 0; i < RING - 1; i++) {
		ck_assert_uint_eq(r[i].tsc, from + i + 1);
	}
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(trace_name(TRC_EXIT), "exit");
	ck_assert_ptr_null(trace_name(TRC_NONE));
	ck_assert_ptr_null(trace_name(TRC_IDS));
	for (unsigned int i = 1; i < TRC_IDS; i++) {
		ck_assert_ptr_nonnull(trace_name(i));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_read, test_lost, test_names, NULL };

	return suite_run("trace", setup, tests);
}
