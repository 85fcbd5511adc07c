/*
 * Deferred work: marked by interrupt handlers, done with interrupts on before a guest is entered or the CPU idles.
 */
#ifndef CORE_SOFTIRQ_H
#define CORE_SOFTIRQ_H

#include <stdbool.h>

enum softirq { SOFTIRQ_TIMER, SOFTIRQ_SCHED, SOFTIRQ_COUNT };

/* On this CPU, any context. */
void softirq_raise(enum softirq s);
/* On another CPU (or this one): marks and, if it is another, interrupts it. */
void softirq_raise_on(unsigned int cpu, enum softirq s);
/* On this CPU: what was marked so far is being done by other means. */
void softirq_clear(enum softirq s);
/* Anything marked here? */
bool softirq_due(void);
/* Do all marked work of this CPU but SOFTIRQ_SCHED, which is cleared and reported. Interrupts on. */
bool softirq_run(void);

#endif
