/* The scheduling policy (contract in sched_credit.h). Pure. */
#include "core/sched_credit.h"
#include "lib/util.h"

void sched_credit_charge(struct sched_unit *u, uint64_t ran_ns)
{
	uint32_t weight = u->weight ? u->weight : SCHED_WEIGHT_DEFAULT;

	u->credit += (int64_t)(ran_ns * SCHED_WEIGHT_DEFAULT / weight);
	u->run_total += ran_ns;
}

void sched_credit_wake(struct sched_unit *u, int64_t vtime)
{
	u->credit = MAX(u->credit, vtime - SCHED_BONUS_NS);
	u->boost = 1;
}

bool sched_credit_better(const struct sched_unit *candidate, const struct sched_unit *running, bool slice_over)
{
	if (slice_over) {
		return candidate->credit < running->credit;
	}
	/* In the middle of a slice only somebody who has just been woken, and is clearly behind, may cut in. */
	return candidate->boost && candidate->credit + SCHED_GRAIN_NS < running->credit;
}

int64_t sched_credit_vtime(int64_t vtime, const struct sched_unit *chosen)
{
	return MAX(vtime, chosen->credit);
}
