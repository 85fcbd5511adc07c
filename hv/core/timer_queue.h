/*
 * Timers ordered by deadline: a pairing heap through the timers themselves, so it has no size limit and never
 * allocates. Pure; the owner's lock. (Fredman, Sedgewick, Sleator, Tarjan, "The pairing heap".)
 */
#ifndef CORE_TIMER_QUEUE_H
#define CORE_TIMER_QUEUE_H

#include "core/timer.h"

struct timer_queue {
	struct timer *root;             /* the earliest; NULL: empty */
};

void timer_queue_insert(struct timer_queue *q, struct timer *t);
/* t is in the queue. */
void timer_queue_remove(struct timer_queue *q, struct timer *t);

#endif
