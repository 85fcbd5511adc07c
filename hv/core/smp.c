/*
 * Cross-CPU calls and kicks (contract in smp.h).
 *
 * Lock: LOCK_SMP, one call at a time. Whoever waits has interrupts on, so two callers cannot wait for each other.
 */
#include "core/panic.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/spinlock.h"
#include "arch/hw.h"
#include "arch/irq.h"
#include "arch/machine.h"
#include "lib/atomic.h"
#include "lib/util.h"

static struct spinlock lock = SPINLOCK_INIT(LOCK_SMP);
static void (*call_fn)(void *);         /* [lock] */
static void *call_arg;                  /* [lock] */
static uint64_t call_todo;              /* [atomic] CPUs that have not done it yet */

uint64_t smp_online_mask(void)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < cpu_count; i++) {
		if (READ_ONCE(cpus[i]->online)) {
			mask |= BIT(i);
		}
	}
	return mask;
}

void smp_kick(unsigned int cpu)
{
	if (cpu != this_cpu()->id) {
		machine_send_ipi(cpu, IRQ_VECTOR_KICK);
	}
}

void smp_handle_call(void)
{
	uint64_t me = BIT(this_cpu()->id);

	if (load_acquire(&call_todo) & me) {
		call_fn(call_arg);
		atomic_and(&call_todo, ~me);
	}
}

void smp_call(uint64_t cpu_mask, void (*fn)(void *arg), void *arg)
{
	unsigned int me = this_cpu()->id;
	uint64_t others = cpu_mask & smp_online_mask() & ~BIT(me), flags;

	ASSERT(hw_irq_enabled());
	if (others) {
		spin_lock(&lock);
		call_fn = fn;
		call_arg = arg;
		store_release(&call_todo, others);
		for (uint64_t rest = others; rest; rest &= rest - 1) {
			machine_send_ipi((unsigned int)__builtin_ctzll(rest), IRQ_VECTOR_CALL);
		}
	}
	if (cpu_mask & BIT(me)) {
		flags = hw_irq_save();
		fn(arg);
		hw_irq_restore(flags);
	}
	if (others) {
		while (load_acquire(&call_todo)) {
			hw_pause();
		}
		spin_unlock(&lock);
	}
}

void smp_exit_guests(uint64_t cpu_mask)
{
	uint64_t seen[MAX_CPUS], waiting = 0;

	/* What the caller changed is visible before we look who is in a guest. */
	fence_full();
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct cpu *c = cpus[i];

		if (cpu_mask & BIT(i) && c != this_cpu() && load_acquire(&c->in_guest)) {
			seen[i] = READ_ONCE(c->exits);
			waiting |= BIT(i);
			smp_kick(i);
		}
	}
	for (; waiting; waiting &= waiting - 1) {
		unsigned int i = (unsigned int)__builtin_ctzll(waiting);

		while (load_acquire(&cpus[i]->in_guest) && READ_ONCE(cpus[i]->exits) == seen[i]) {
			hw_pause();
		}
	}
}
