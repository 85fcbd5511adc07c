/*
 * One CPU's run queue and the decision who runs next. Pure: the caller holds the queue's lock, gives the time, switches the
 * stacks, sets the timer. Every operation takes the same time however many units there are.
 *
 * The queue is a calendar of virtual time: a ring of lists, one for each step (sched_credit.h), with a bitmap of those that are not
 * empty. Invariant: no queued unit's credit is more than SCHED_LAG_NS below the queue's virtual time, which
 * never goes back, nor more than the ring's length above it.
 */
#ifndef CORE_SCHED_QUEUE_H
#define CORE_SCHED_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include "core/sched.h"
#include "lib/list.h"

#define SCHED_SLOTS 4096u
/* A unit that comes from another CPU is at most so far behind or ahead of those that are here. */
#define SCHED_LAG_NS 100000000ll

struct sched_queue {
	struct sched_unit *running;     /* who has the CPU; the idle unit when nobody */
	struct sched_unit *idle;        /* const */
	int64_t vtime;                  /* virtual time */
	int64_t offset;                 /* vtime + offset: this CPU's place in the machine's virtual time (sched_place.c) */
	uint64_t turn_start;            /* ns: when the running unit's turn began */
	uint64_t settled_at;            /* ns: what vtime is right for */
	uint32_t weight;                /* of the running unit, for readers that have no lock to look at it */
	unsigned int cpu;               /* const */
	unsigned int queued;            /* units in slots */
	struct sched_unit *first;       /* of these who would run next; NULL: nobody waits */
	unsigned int boosted;           /* those of them that have just been woken */
	struct sched_unit *answered;    /* who waited for what the running unit has just done; until the next decision */
	struct list parked;             /* units whose group has reached its cap, in the order they came */
	struct list outbox;             /* units that may not run here: the caller moves them */
	uint64_t summary;               /* bit: word of `map` that is not 0 */
	uint64_t map[SCHED_SLOTS / 64]; /* bit: slot that is not empty */
	struct list slot[SCHED_SLOTS];
};

void sched_queue_init(struct sched_queue *q, struct sched_unit *idle, unsigned int cpu);
/* A runnable unit that is nowhere. Its credit is brought into the queue's range. */
void sched_queue_add(struct sched_queue *q, struct sched_unit *u);
/* Take a unit out of wherever this queue keeps it; harmless when it is nowhere. */
void sched_queue_remove(struct sched_queue *q, struct sched_unit *u);
/* Book the running unit's time and move the virtual time on. */
void sched_queue_settle(struct sched_queue *q, uint64_t now);
/* Decide who has the CPU from now on: q->running. The unit that had it is put where it belongs by its state.
 * yield: it wants others to go first. Result: in how many ns to decide again; 0: when something happens. */
uint64_t sched_queue_decide(struct sched_queue *q, uint64_t now, bool yield);
/* Must q decide now, because of u that has just been added? timer_at: when it will anyway (0: never). */
bool sched_queue_urgent(const struct sched_queue *q, const struct sched_unit *u, uint64_t now, uint64_t timer_at);
/* A waiting unit that could go to that CPU, among the first few; NULL: none of them. Only one that has caught up on what it
 * brought from its last CPU, unless `any`: else the same unit would be sent around and never have its share. */
struct sched_unit *sched_queue_movable(const struct sched_queue *q, unsigned int cpu, bool any);

static inline bool sched_queue_may_use(const struct sched_unit *u, unsigned int cpu)
{
	return u->hard >> cpu & 1;
}

#endif
