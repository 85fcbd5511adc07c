/* What sched.c and sched_place.c share of a CPU's scheduler; nobody else's business. */
#ifndef CORE_SCHED_CPU_H
#define CORE_SCHED_CPU_H

#include "core/percpu.h"
#include "core/sched.h"
#include "core/sched_queue.h"
#include "core/spinlock.h"
#include "core/timer.h"
#include "lib/atomic.h"

struct sched_cpu {
	struct spinlock lock;           /* LOCK_SCHED */
	struct sched_queue q;           /* [lock; hints are read without] q.running equals cpu->current but while switching */
	struct sched_unit *left;        /* [own] whose stack was just left */
	unsigned int units;             /* [lock] units that belong here, blocked ones too */
	uint64_t balance_at;            /* [own] ns: when to look for a less loaded CPU */
	struct timer slice;             /* [own] */
	struct sched_unit idle;
};

static inline struct sched_cpu *sched_of(unsigned int cpu)
{
	return cpus[cpu]->sched;
}

/* Lock the run queue that the unit belongs to. */
struct sched_cpu *sched_lock_of(const struct sched_unit *u, uint64_t *flags);

/* ---- sched_place.c: which CPU ---- */

/* [lock of s] A unit of this CPU becomes runnable: where it should go; s's own number: stay. */
unsigned int sched_place_wake(const struct sched_cpu *s, const struct sched_unit *u);
/* [lock of from] The unit, which is in no queue, belongs to another CPU from now on; the caller then puts it there. */
void sched_place_leave(struct sched_unit *u, struct sched_cpu *from, unsigned int to);
/* Put a unit that has left a CPU into its new one's queue. Takes that CPU's lock. */
void sched_place_arrive(struct sched_unit *u);
/* [lock of s] Before the first unit is added to the queue of a CPU that was idle. */
void sched_place_busy(struct sched_cpu *s);
/* After a decision on this CPU: send away what may not run here. Interrupts off, no lock. */
void sched_place_flush(struct sched_cpu *s);
/* This CPU has nothing to do: take a waiting unit from another one. */
bool sched_place_pull(struct cpu *c);
/* This CPU has more to do than others: give one unit away if it is time to. Interrupts off, no lock. */
void sched_place_push(struct cpu *c, uint64_t now);
/* [lock of s] Note that this CPU is (not) idle, and how far its virtual time has come. */
void sched_place_note(const struct sched_cpu *s);

#endif
