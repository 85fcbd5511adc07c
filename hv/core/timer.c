/*
 * Deadline timers (contract in timer.h).
 *
 * Lock: LOCK_TIMER of the CPU that the timer belongs to; t->cpu changes only with the lock of the old CPU held and
 * the timer out of its queue. Callbacks run without it.
 */
#include "core/counters.h"
#include "core/heap.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "core/timer.h"
#include "core/timer_queue.h"
#include "core/softirq.h"
#include "arch/hw.h"
#include "arch/machine.h"
#include "lib/atomic.h"
#include "lib/err.h"

struct timer_heap {
	struct spinlock lock;           /* LOCK_TIMER */
	struct timer_queue queue;       /* [lock] */
	struct timer *running;          /* [lock] whose callback runs now */
};

int timer_cpu_alloc(struct cpu *c)
{
	c->timers = heap_new(struct timer_heap);
	if (!c->timers) {
		return -ENOMEM;
	}
	spin_init(&c->timers->lock, LOCK_TIMER);
	return 0;
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg)
{
	*t = (struct timer){ .fn = fn, .arg = arg, .cpu = this_cpu()->id };
}

/* Lock the queue the timer belongs to. */
static struct timer_heap *lock_of(struct timer *t, uint64_t *flags)
{
	for (;;) {
		unsigned int cpu = READ_ONCE(t->cpu);
		struct timer_heap *h = cpus[cpu]->timers;

		*flags = spin_lock_irqsave(&h->lock);
		if (READ_ONCE(t->cpu) == cpu) {
			return h;
		}
		spin_unlock_irqrestore(&h->lock, *flags);
	}
}

/* [lock] Take it out if it is in. */
static void disarm(struct timer_heap *h, struct timer *t)
{
	if (t->deadline) {
		timer_queue_remove(&h->queue, t);
		WRITE_ONCE(t->deadline, 0);
	}
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	struct timer_heap *h, *mine;
	uint64_t flags;

	if (!deadline_ns) {
		timer_stop(t);
		return;
	}
	h = lock_of(t, &flags);
	mine = this_cpu()->timers;
	disarm(h, t);
	if (h != mine) {
		WRITE_ONCE(t->cpu, this_cpu()->id);
		spin_unlock_irqrestore(&h->lock, flags);
		h = lock_of(t, &flags);
		/* Somebody else may have set it in between; the later one holds. */
		disarm(h, t);
	}
	WRITE_ONCE(t->deadline, deadline_ns);
	timer_queue_insert(&h->queue, t);
	if (h->queue.root == t) {
		if (h == this_cpu()->timers) {
			machine_timer_arm(deadline_ns);
		} else {
			softirq_raise_on(t->cpu, SOFTIRQ_TIMER);
		}
	}
	spin_unlock_irqrestore(&h->lock, flags);
}

void timer_stop(struct timer *t)
{
	for (;;) {
		uint64_t flags;
		struct timer_heap *h = lock_of(t, &flags);
		bool busy;

		disarm(h, t);
		/* A callback may stop its own timer. */
		busy = h->running == t && h != this_cpu()->timers;
		spin_unlock_irqrestore(&h->lock, flags);
		if (!busy) {
			return;
		}
		hw_pause();
	}
}

void timer_disarm(struct timer *t)
{
	uint64_t flags;
	struct timer_heap *h = lock_of(t, &flags);

	disarm(h, t);
	spin_unlock_irqrestore(&h->lock, flags);
}

bool timer_armed(const struct timer *t)
{
	return READ_ONCE(t->deadline) != 0;
}

void timer_run(void)
{
	struct timer_heap *h = this_cpu()->timers;
	uint64_t flags = spin_lock_irqsave(&h->lock);
	struct timer *t;

	while ((t = h->queue.root) != NULL && t->deadline <= time_now()) {
		void (*fn)(void *) = t->fn;
		void *arg = t->arg;

		disarm(h, t);
		h->running = t;
		spin_unlock_irqrestore(&h->lock, flags);
		counter_add(COUNTER_TIMER, 1);
		fn(arg);
		flags = spin_lock_irqsave(&h->lock);
		h->running = NULL;
	}
	machine_timer_arm(t ? t->deadline : 0);
	spin_unlock_irqrestore(&h->lock, flags);
}
