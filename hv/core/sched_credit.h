/*
 * The scheduling policy: proportional share with quick wake-ups, and caps. Pure arithmetic on a unit's policy members; what CPUs
 * share (a group's budget) is atomic.
 *
 * A unit's credit is the CPU time it used divided by its weight ("virtual time"): the runnable unit with the smallest one
 * runs next. Who slept is brought near the queue's virtual time, a little ahead of the others, so that it runs soon
 * but cannot save up time. Credits are compared in steps of SCHED_STEP_NS; within a step units take turns.
 */
#ifndef CORE_SCHED_CREDIT_H
#define CORE_SCHED_CREDIT_H

#include <stdbool.h>
#include <stdint.h>
#include "core/sched.h"

#define SCHED_WEIGHT_DEFAULT 256
#define SCHED_WEIGHT_MAX     65535
#define SCHED_SLICE_NS       10000000ull
#define SCHED_BONUS_NS       5000000ll
#define SCHED_GRAIN_NS       500000ll
/* How far a unit may be ahead of the one that answered it and still go first: who mostly sleeps is SCHED_BONUS_NS behind. */
#define SCHED_ANSWERED_NS    (2 * SCHED_BONUS_NS)
/* While somebody who has just been woken waits, the running unit is looked at this often. */
#define SCHED_LOOK_NS        1000000ull
/* Caps are kept in periods that begin at multiples of this, the same for all groups. */
#define SCHED_PERIOD_NS      10000000ull
/* A capped unit runs at least so long when it is chosen, or the switches would cost more than the work. */
#define SCHED_CAP_GRAIN_NS   100000ll
#define SCHED_STEP_SHIFT     20
/* What a unit that comes from another CPU keeps of its arrears at once (less than a woken unit's bonus), and at most in all. */
#define SCHED_NEWCOMER_NS    2000000ll
#define SCHED_ARREARS_NS     100000000ll

/* The step of virtual time that a credit lies in. */
static inline int64_t sched_credit_step(int64_t credit)
{
	return credit >> SCHED_STEP_SHIFT;
}

/* The unit ran for so long. */
void sched_credit_charge(struct sched_unit *u, uint64_t ran_ns);
/* The unit becomes runnable in a queue whose virtual time is vtime. */
void sched_credit_wake(struct sched_unit *u, int64_t vtime);
/* A runnable unit comes from another CPU to a queue whose virtual time is vtime. If it is far behind, it is charged less for a while
 * instead of going first, so that it keeps nobody waiting who has just been woken. How far ahead it may be is bounded, too. */
void sched_credit_arrive(struct sched_unit *u, int64_t vtime);
/* Should `candidate`, the first of the queue, take the CPU from `running`, which has had it for turn_ns? */
bool sched_credit_better(const struct sched_unit *candidate, const struct sched_unit *running, uint64_t turn_ns);
/* May a unit take the CPU from the one that has just answered it? */
bool sched_credit_goes_first(const struct sched_unit *answered, const struct sched_unit *by);
/* May the unit's group still run in the period that `now` is in? Begins a new period when it is time. */
bool sched_credit_in_cap(struct sched_unit *u, uint64_t now);
/* For how long the unit may run because of its group's cap; 0: as long as it likes. */
uint64_t sched_credit_cap_left(const struct sched_unit *u);

#endif
