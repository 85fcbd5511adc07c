/* The scheduling policy (contract in sched_credit.h). Pure. */
#include "core/sched_credit.h"
#include "lib/atomic.h"
#include "lib/util.h"

#define PERCENT 100

void sched_credit_charge(struct sched_unit *u, uint64_t ran_ns)
{
	uint32_t weight = READ_ONCE(u->weight);
	int64_t virtual = (int64_t)(weight == SCHED_WEIGHT_DEFAULT || weight == 0 ? ran_ns :
										    ran_ns * SCHED_WEIGHT_DEFAULT / weight);

	if (u->arrears != 0) {
		int64_t waived = MIN(virtual / 2, u->arrears);

		u->arrears -= waived;
		virtual -= waived;
	}
	u->credit += virtual;
	u->run_total += ran_ns;
	if (u->group != NULL && READ_ONCE(u->group->cap) != 0) {
		(void)atomic_sub(&u->group->budget, (int64_t)ran_ns);
	}
}

void sched_credit_wake(struct sched_unit *u, int64_t vtime)
{
	u->credit = MAX(u->credit, vtime - SCHED_BONUS_NS);
	u->arrears = 0;
	u->boost = 1;
}

void sched_credit_arrive(struct sched_unit *u, int64_t vtime)
{
	int64_t floor = vtime - SCHED_NEWCOMER_NS;

	if (u->boost) {
		u->credit = MAX(u->credit, vtime - SCHED_BONUS_NS);
	} else if (u->credit < floor) {
		u->arrears = MIN(u->arrears + floor - u->credit, SCHED_ARREARS_NS);
		u->credit = floor;
	} else {
		u->credit = MIN(u->credit, vtime + SCHED_ARREARS_NS);
	}
}

bool sched_credit_better(const struct sched_unit *candidate, const struct sched_unit *running, uint64_t turn_ns)
{
	bool first = sched_credit_step(candidate->credit) <= sched_credit_step(running->credit);

	if (turn_ns >= SCHED_SLICE_NS) {
		return first;
	}
	/* In the middle of a slice only somebody who has just been woken may cut in: at once when it is clearly behind,
	 * else when the other has had a look's time. */
	return candidate->boost && (candidate->credit + SCHED_GRAIN_NS < running->credit ||
				    (first && turn_ns >= SCHED_LOOK_NS));
}

bool sched_credit_goes_first(const struct sched_unit *answered, const struct sched_unit *by)
{
	return answered->credit < by->credit + SCHED_ANSWERED_NS;
}

/* What a group may use in one period. */
static int64_t quota(const struct sched_group *g)
{
	return (int64_t)(SCHED_PERIOD_NS / PERCENT * READ_ONCE(g->cap));
}

/* Each period that has begun since the last look adds its quota; what was not used is lost. */
static void refill(struct sched_group *g, uint64_t now)
{
	uint64_t period = now / SCHED_PERIOD_NS, seen = READ_ONCE(g->period);
	int64_t one = quota(g), budget, next;

	if (period <= seen || !atomic_cas(&g->period, &seen, period)) {
		return;
	}
	budget = READ_ONCE(g->budget);
	do {
		/* A debt of more than that many periods would overflow nothing, but cannot come up either. */
		next = period - seen > PERCENT ? one : MIN(budget + one * (int64_t)(period - seen), one);
	} while (!atomic_cas(&g->budget, &budget, next));
}

bool sched_credit_in_cap(struct sched_unit *u, uint64_t now)
{
	if (u->group == NULL || READ_ONCE(u->group->cap) == 0) {
		return true;
	}
	refill(u->group, now);
	return READ_ONCE(u->group->budget) > 0;
}

uint64_t sched_credit_cap_left(const struct sched_unit *u)
{
	if (u->group == NULL || READ_ONCE(u->group->cap) == 0) {
		return 0;
	}
	/* The others of the group may be using it up at the same time. */
	return (uint64_t)MAX(READ_ONCE(u->group->budget) / (int64_t)MAX(u->group->units, 1u), SCHED_CAP_GRAIN_NS);
}
