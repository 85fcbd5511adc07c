/*
 * Event counters: cheap enough to be always on. Each CPU counts for itself; readers add up and may be a little late.
 */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include <stdint.h>
#include "core/percpu.h"

/* One row per counter: its number, its name in dumps. */
#define COUNTERS(ROW)                          \
	ROW(COUNTER_IRQ_DEVICE, "irq-device")  \
	ROW(COUNTER_IRQ_TIMER, "irq-timer")    \
	ROW(COUNTER_IRQ_KICK, "irq-kick")      \
	ROW(COUNTER_IRQ_CALL, "irq-call")      \
	ROW(COUNTER_SWITCH, "unit-switch")     \
	ROW(COUNTER_WAKE, "unit-wake")         \
	ROW(COUNTER_MIGRATE, "unit-migrate")   \
	ROW(COUNTER_TIMER, "timer-callback")   \
	ROW(COUNTER_LOCK_WAIT, "lock-wait")    \
	ROW(COUNTER_SCRUB, "page-scrub")

#define COUNTERS_ID(id, name) id,
enum counter { COUNTERS(COUNTERS_ID) COUNTER_IDS };

_Static_assert(COUNTER_IDS <= CPU_COUNTERS_MAX, "struct cpu has room for the counters");

/* On this CPU; an interrupt handler that counts in between may lose one. */
static inline void counter_add(enum counter id, uint64_t n)
{
	this_cpu()->counter[id] += n;
}

/* Sum over all CPUs. */
uint64_t counter_read(enum counter id);
/* Print those that are not zero, per CPU. */
void counters_dump(void);

#endif
