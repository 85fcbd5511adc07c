/*
 * The scheduling policy: proportional share with quick wake-ups. Pure arithmetic on a unit's policy members.
 *
 * A unit's credit is the CPU time it used divided by its weight ("virtual time"): the runnable unit with the smallest one
 * runs next. Who slept is brought near the queue's virtual time, a little ahead of the others, so that it runs soon
 * but cannot save up time.
 */
#ifndef CORE_SCHED_CREDIT_H
#define CORE_SCHED_CREDIT_H

#include <stdbool.h>
#include <stdint.h>
#include "core/sched.h"

#define SCHED_WEIGHT_DEFAULT 256
#define SCHED_SLICE_NS       10000000ull
#define SCHED_BONUS_NS       5000000ll
#define SCHED_GRAIN_NS       500000ll
/* While somebody who has just been woken waits, the running unit is looked at this often. */
#define SCHED_LOOK_NS        1000000ull

/* The unit ran for so long. */
void sched_credit_charge(struct sched_unit *u, uint64_t ran_ns);
/* The unit becomes runnable in a queue whose virtual time is vtime. */
void sched_credit_wake(struct sched_unit *u, int64_t vtime);
/* Should `candidate` take the CPU from `running` now? slice_over: running has had its turn. */
bool sched_credit_better(const struct sched_unit *candidate, const struct sched_unit *running, bool slice_over);
/* Virtual time of a queue after the unit was chosen. */
int64_t sched_credit_vtime(int64_t vtime, const struct sched_unit *chosen);

#endif
