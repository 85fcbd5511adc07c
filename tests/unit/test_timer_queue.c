/* timer_queue.c: the earliest comes first, whatever was inserted and removed in between. */
#include "core/timer_queue.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define TIMERS 300u

static struct timer timers[TIMERS];
static struct timer_queue q;

static struct rnd random_state = { 88172645463325252 };

static uint64_t any(void)
{
	return rnd_next(&random_state);
}

static void setup(void)
{
	q.root = NULL;
	for (unsigned int i = 0; i < TIMERS; i++) {
		timers[i] = (struct timer){ .deadline = 0 };
	}
}

static uint64_t earliest(void)
{
	uint64_t min = UINT64_MAX;

	for (unsigned int i = 0; i < TIMERS; i++) {
		if (timers[i].deadline && timers[i].deadline < min) {
			min = timers[i].deadline;
		}
	}
	return min;
}

START_TEST(test_random)
{
	unsigned int inside = 0;

	for (unsigned int turn = 0; turn < 50000; turn++) {
		struct timer *t = &timers[any() % TIMERS];

		if (t->deadline) {
			timer_queue_remove(&q, t);
			t->deadline = 0;
			inside--;
		} else {
			t->deadline = 1 + any() % 500;
			timer_queue_insert(&q, t);
			inside++;
		}
		MUST((q.root != NULL) == (inside != 0));
		MUST(!q.root || q.root->deadline == earliest());
	}
}
END_TEST

START_TEST(test_order)
{
	uint64_t last = 0;

	for (unsigned int i = 0; i < TIMERS; i++) {
		timers[i].deadline = 1 + any() % 100000;
		timer_queue_insert(&q, &timers[i]);
	}
	for (unsigned int i = 0; i < TIMERS; i++) {
		struct timer *t = q.root;

		ck_assert(t && t->deadline >= last);
		last = t->deadline;
		timer_queue_remove(&q, t);
		ck_assert(!t->child && !t->next && !t->prev);
	}
	ck_assert_ptr_null(q.root);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_random, test_order, NULL };

	return suite_run("timer_queue", setup, tests);
}
