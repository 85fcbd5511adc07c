/*
 * The end (contract in panic.h). The first CPU to get here speaks; the others are stopped by NMI and stay halted.
 */
#include "core/panic.h"
#include "core/backtrace.h"
#include "core/cmdline.h"
#include "core/console.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/sched.h"
#include "core/spinlock.h"
#include "core/trace.h"
#include "arch/hw.h"
#include "arch/machine.h"
#include "lib/atomic.h"

#define TRACE_TAIL 64

static uint32_t panicking;              /* atomic: CPU id + 1 of the one that speaks */

bool panic_in_progress(void)
{
	return READ_ONCE(panicking) != 0;
}

static void show_locks(void)
{
	for (unsigned int i = 0; i < MAX_CPUS && cpus[i]; i++) {
		const struct cpu *c = cpus[i];

		for (unsigned int n = 0; n < c->held_count && n < LOCKS_HELD_MAX; n++) {
			log_err(" CPU %u holds lock %pS rank %u", i, (void *)c->held[n], c->held[n]->rank);
		}
	}
}

static void show_current(void)
{
	for (unsigned int i = 0; i < MAX_CPUS && cpus[i]; i++) {
		const struct sched_unit *u = READ_ONCE(cpus[i]->current);

		log_err(" CPU %u: apic %u%s, unit %s, irq depth %u, pending %lx, in guest %lu", i, cpus[i]->apic_id,
			cpus[i]->online ? "" : " (offline)", u ? u->name : "none", cpus[i]->irq_depth,
			cpus[i]->softirq_pending, cpus[i]->in_guest);
		if (cpus[i]->stop_rip) {
			log_err(" stopped at %016lx %pS", cpus[i]->stop_rip, (void *)cpus[i]->stop_rip);
			backtrace_show(cpus[i]->stop_frame);
		}
	}
}

/* Claim the right to speak; a second panic on the same CPU goes straight to the end. */
static void panic_enter(void)
{
	uint32_t me = this_cpu()->id + 1, none = 0;

	hw_irq_disable();
	if (!atomic_cas(&panicking, &none, me)) {
		if (none == me) {
			machine_reset_or_stop(cmdline.noreboot);
		}
		hw_stop();
	}
	console_force();
	machine_stop_others();
}

static _Noreturn void panic_finish(const char *reason)
{
	show_current();
	show_locks();
	panic_extra();
	trace_dump(TRACE_TAIL, 0xffff);
	log_err("PANIC: cpu=%u reason=\"%s\"", this_cpu()->id, reason);
	machine_reset_or_stop(cmdline.noreboot);
}

_Noreturn void panic(const char *fmt, ...)
{
	char reason[256];
	va_list ap;

	panic_enter();
	va_start(ap, fmt);
	log_format(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	log_err("*** hypervisor panic on CPU %u: %s", this_cpu()->id, reason);
	backtrace_show(hw_frame());
	panic_finish(reason);
}

_Noreturn void panic_refuse(const char *fmt, ...)
{
	char reason[256];
	va_list ap;

	panic_enter();
	va_start(ap, fmt);
	log_format(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	log_err("cannot start: %s; the machine stays halted", reason);
	machine_reset_or_stop(true);
}

_Noreturn void panic_with_frame(void (*show)(const void *regs), const void *regs, uint64_t frame, const char *fmt,
				...)
{
	char reason[256];
	va_list ap;

	panic_enter();
	va_start(ap, fmt);
	log_format(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	log_err("*** hypervisor panic on CPU %u: %s", this_cpu()->id, reason);
	show(regs);
	backtrace_show(frame);
	panic_finish(reason);
}

_Noreturn void bug_at(const char *file, int line, const char *what)
{
	panic("%s:%d: %s", file, line, what);
}
