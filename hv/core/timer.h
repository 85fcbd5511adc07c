/*
 * Deadline timers on the host's local APIC timer, one heap per CPU.
 *
 * A callback runs once at or after the deadline, as deferred work with interrupts enabled, on the CPU
 * that the timer belongs to (the one that last set it, or timer_migrate()). A callback may set its
 * timer again. timer_stop() guarantees that the callback does not run after it returns.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct timer {
	uint64_t deadline;              /* ns of time_now(); 0: not armed */
	void (*fn)(void *arg);          /* const */
	void *arg;                      /* const */
	unsigned int heap_index;        /* [timer] */
	unsigned int cpu;               /* [timer] */
};

void timer_init(struct timer *t, void (*fn)(void *), void *arg);
void timer_set(struct timer *t, uint64_t deadline_ns);  /* replaces an earlier deadline; 0 stops */
void timer_stop(struct timer *t);
bool timer_armed(const struct timer *t);

#endif
