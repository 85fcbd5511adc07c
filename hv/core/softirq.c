/* Deferred work (contract in softirq.h). Each CPU's mask is atomic; no lock. */
#include "core/percpu.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/timer.h"
#include "lib/atomic.h"
#include "lib/util.h"

static void (*const handlers[SOFTIRQ_COUNT])(void) = {
	[SOFTIRQ_TIMER] = timer_run,
};

void softirq_raise(enum softirq s)
{
	atomic_or(&this_cpu()->softirq_pending, BIT(s));
}

void softirq_raise_on(unsigned int cpu, enum softirq s)
{
	uint64_t old = atomic_or(&cpus[cpu]->softirq_pending, BIT(s));

	if (!(old & BIT(s)) && cpus[cpu] != this_cpu()) {
		smp_kick(cpu);
	}
}

void softirq_clear(enum softirq s)
{
	uint64_t *pending = &this_cpu()->softirq_pending;

	if (READ_ONCE(*pending) & BIT(s)) {
		atomic_and(pending, ~BIT(s));
	}
}

bool softirq_due(void)
{
	return READ_ONCE(this_cpu()->softirq_pending) != 0;
}

bool softirq_run(void)
{
	struct cpu *c = this_cpu();
	uint64_t work, sched = 0;

	while ((work = atomic_xchg(&c->softirq_pending, 0)) != 0) {
		sched |= work & BIT(SOFTIRQ_SCHED);
		for (unsigned int i = 0; i < SOFTIRQ_COUNT; i++) {
			if (work & BIT(i) && handlers[i]) {
				handlers[i]();
			}
		}
	}
	return sched != 0;
}
