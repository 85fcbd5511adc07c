/*
 * Deadline timers on the host's local APIC timer, one queue per CPU.
 *
 * A callback runs once at or after the deadline, as deferred work with interrupts enabled, on the CPU
 * that the timer belongs to (the one that last set it, or timer_migrate()). A callback may set its
 * timer again. timer_stop() guarantees that the callback does not run after it returns: it waits for one that runs on another CPU,
 * so its caller holds no lock that the callback takes. A timer set on a second CPU may run there while the callback of its
 * earlier deadline is still busy on the first. timer_disarm() does not wait: for callers that hold a lock which the
 * callback takes, and whose callback does no harm when it comes once too often.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer {
	uint64_t deadline;              /* ns of time_now(); 0: not armed */
	void (*fn)(void *arg);          /* const */
	void *arg;                      /* const */
	unsigned int cpu;               /* [timer] whose queue it is or was in */
	struct timer *child, *next, *prev; /* [timer] timer_queue.c */
};

void timer_init(struct timer *t, void (*fn)(void *), void *arg);
void timer_set(struct timer *t, uint64_t deadline_ns);  /* replaces an earlier deadline; 0 stops */
void timer_stop(struct timer *t);
void timer_disarm(struct timer *t);
bool timer_armed(const struct timer *t);

/* Give a CPU its queue: -ENOMEM. Start-up. */
struct cpu;
int timer_cpu_alloc(struct cpu *c);
/* Deferred work: run what is due on this CPU and set the hardware for the next. */
void timer_run(void);

#endif
