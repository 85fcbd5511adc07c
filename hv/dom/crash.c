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

#define LOG_WINDOW_NS  1000000000ull    /* at most LOG_PER_WINDOW messages of a guest in this time */
#define LOG_PER_WINDOW 32
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

void guest_log(struct domain *d, const char *fmt, ...)
{
	uint64_t now = time_now();
	va_list ap;

	if (now - d->log_window > LOG_WINDOW_NS) {
		if (d->log_count > LOG_PER_WINDOW) {
			log_warn("d%u: %lu messages suppressed\n", d->id,
				 (unsigned long)(d->log_count - LOG_PER_WINDOW));
		}
		d->log_window = now;
		d->log_count = 0;
	}
	if (++d->log_count > LOG_PER_WINDOW) {
		return;
	}
	va_start(ap, fmt);
	vlog(LOG_INFO, d, current_vcpu(), "", fmt, ap);
	va_end(ap);
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
