/*
 * What a scheduling decision costs, in instructions, with 1 to 1,000 runnable units: the processor's single-step trap counts
 * them. Built without sanitizers and optimised as the hypervisor is.
 */
#include <signal.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include "core/sched_cpu.h"
#include "fake/rnd.h"
#include "fake/sched_world.h"
#include "fake/suite.h"
#include "lib/util.h"

#define TRAP_FLAG 0x100ull
#define TURNS     200u
/* What a decision may cost at most with any number of units, and how far the mean with 1,000 may lie above that with 2. */
#define MOST      600u
#define PERCENT_MORE 5u

static volatile uint64_t steps;

static void step(int sig)
{
	steps++;
}

static inline __attribute__((always_inline)) void count_begin(void)
{
	steps = 0;
	__asm__ volatile("pushfq; orq %0, (%%rsp); popfq" ::"i"(TRAP_FLAG) : "memory", "cc");
}

static inline __attribute__((always_inline)) uint64_t count_end(void)
{
	__asm__ volatile("pushfq; andq %0, (%%rsp); popfq" ::"i"(~TRAP_FLAG) : "memory", "cc");
	return steps;
}

struct cost {
	uint64_t mean, most;
};

/* Slice ends, sleeps and wake-ups in turn on a CPU with n units: decisions as the scheduler makes them, one by one. */
static struct cost measure(unsigned int n)
{
	struct cost c = { 0 };
	struct sched_queue *q;
	uint64_t sum = 0;

	world_reset(1);
	for (unsigned int i = 0; i < n; i++) {
		sched_set_weight(&world_add(0, false, 0, 0, 0)->unit, 256);
	}
	world_run(20000 * MS);
	q = &cpus[0]->sched->q;
	world_on(0);
	for (unsigned int i = 0; i < TURNS; i++) {
		struct sched_unit *was = q->running;
		uint64_t one;

		world_now += 10 * MS;
		if (i % 3 == 1) {
			was->state = SCHED_BLOCKED;
		}
		count_begin();
		(void)sched_queue_decide(q, world_now, false);
		one = count_end();
		if (was->state == SCHED_BLOCKED) {
			was->state = SCHED_RUNNABLE;
			count_begin();
			sched_queue_add(q, was);
			one += count_end();
		}
		sum += one;
		c.most = MAX(c.most, one);
	}
	c.mean = sum / TURNS;
	return c;
}

START_TEST(test_flat)
{
	static const unsigned int n[] = { 1, 2, 10, 100, 1000 };
	struct cost c[ARRAY_SIZE(n)];

	for (unsigned int i = 0; i < ARRAY_SIZE(n); i++) {
		c[i] = measure(n[i]);
		printf("%4u units: %lu instructions a decision, %lu at most\n", n[i], c[i].mean, c[i].most);
		ck_assert_uint_le(c[i].most, MOST);
	}
	ck_assert_uint_gt(c[1].mean, 50);
	for (unsigned int i = 2; i < ARRAY_SIZE(n); i++) {
		ck_assert_msg(c[i].mean * 100 <= c[1].mean * (100 + PERCENT_MORE), "%lu instead of %lu with %u units", c[i].mean,
			      c[1].mean, n[i]);
	}
}
END_TEST

/* The ruler itself: it sees one more instruction, and a loop over the units would be seen. */
START_TEST(test_ruler)
{
	volatile unsigned int sink = 0;
	uint64_t none, loop;

	count_begin();
	none = count_end();
	count_begin();
	for (unsigned int i = 0; i < 1000; i++) {
		sink = sink + i;
	}
	loop = count_end();
	ck_assert_uint_le(none, 8);
	ck_assert_uint_ge(loop, 3000);
}
END_TEST

static void setup(void)
{
	struct sigaction a = { .sa_handler = step };

	sigaction(SIGTRAP, &a, NULL);
}

int main(void)
{
	const TTest *const tests[] = { test_ruler, test_flat, NULL };

	/* Minutes of made-up time take seconds on a loaded machine. */
	setenv("CK_DEFAULT_TIMEOUT", "120", 0);
	return suite_run("sched_cost", setup, tests);
}
