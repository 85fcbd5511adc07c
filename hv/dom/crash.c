/*
 * The end of a guest that did something impossible, and messages that guests cause.
 *
 * Owns: d->crashed and the log limiter of each domain. Locking: guest_crash() takes LOCK_DOMAIN inside.
 */
#include "dom/domain.h"
#include <stdarg.h>
#include "lib/printf.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/time.h"
#include "core/trace.h"
#include <xen/sched.h>

#define LOG_WINDOW_NS  1000000000ull    /* what a guest may use up of LOG_BUDGET in this time */
#define LOG_BUDGET     256
#define LOG_COST       8                /* of a message of ours that the guest caused */
#define TEXT_COST      1                /* of a line that the guest wrote: firmware says a lot in a short time */
#define CRASH_RECORDS  32

static void PRINTF_LIKE(5, 0) vlog(enum log_level level, struct domain *d, const struct vcpu *v, const char *what,
				   const char *fmt, va_list ap)
{
	char text[200];

	(void)printf_vstr(text, sizeof(text), fmt, ap);
	if (v != NULL && v->domain == d) {
		log_at(level, "d%uv%u: %s%s (rip %#lx)\n", d->id, v->id, what, text,
		       (unsigned long)v->arch.regs.rip);
	} else {
		log_at(level, "d%u: %s%s\n", d->id, what, text);
	}
}

void guest_crash(struct domain *d, const char *fmt, ...)
{
	struct vcpu *v = current_vcpu();
	bool first;
	va_list ap;

	spin_lock(&d->lock);
	first = !d->crashed;
	d->crashed = true;
	spin_unlock(&d->lock);
	if (!first) {
		return;
	}
	trace(TRC_CRASH, d->id, v != NULL ? (uint16_t)v->id : 0xffff, v != NULL ? v->arch.regs.rip : 0, 0);
	va_start(ap, fmt);
	vlog(LOG_WARN, d, v, "CRASH: ", fmt, ap);
	va_end(ap);
	for (unsigned int i = 0; i < d->max_vcpus && i < 8; i++) {
		const struct vcpu *o = d->vcpu[i];
		if (o != NULL && o != v && o->online) {
			log_warn("d%uv%u: rip %#lx rsp %#lx\n", d->id, o->id, (unsigned long)o->arch.regs.rip,
				 (unsigned long)o->arch.regs.gpr[GPR_RSP]);
		}
	}
	trace_dump(CRASH_RECORDS, d->id);
	if (d == dom0) {
		panic("Dom0 crashed");
	}
	domain_shutdown(d, SHUTDOWN_crash);
}

/* May the guest use this much of the log now? */
static bool log_allowed(struct domain *d, unsigned int cost)
{
	uint64_t now = time_now();

	if (now - d->log_window > LOG_WINDOW_NS) {
		if (d->log_count > LOG_BUDGET) {
			log_warn("d%u: messages suppressed\n", d->id);
		}
		d->log_window = now;
		d->log_count = 0;
	}
	d->log_count += cost;
	return d->log_count <= LOG_BUDGET;
}

void guest_log(struct domain *d, const char *fmt, ...)
{
	va_list ap;

	if (!log_allowed(d, LOG_COST)) {
		return;
	}
	va_start(ap, fmt);
	vlog(LOG_INFO, d, current_vcpu(), "", fmt, ap);
	va_end(ap);
}

void guest_text(struct domain *d, const char *text)
{
	if (log_allowed(d, TEXT_COST)) {
		log_info("d%u: %s\n", d->id, text);
	}
}

void panic_extra(void)
{
	const struct vcpu *v = current_vcpu();

	if (v == NULL) {
		return;
	}
	log_err("current: d%uv%u rip %#lx rflags %#lx rax %#lx\n", v->domain->id, v->id,
		(unsigned long)v->arch.regs.rip, (unsigned long)v->arch.regs.rflags,
		(unsigned long)v->arch.regs.gpr[GPR_RAX]);
}
