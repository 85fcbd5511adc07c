/*
 * Virtual CPUs: creation, kick, start and park, runstate, the VIRQ_TIMER timers.
 *
 * Owns struct vcpu but for arch, hvm (hvm/) and info, virq_port (shared_info, evtchn). Locking: members say it; the
 * areas in guest memory are written by the vCPU itself only, just before it enters the guest.
 */
#include "dom/domain.h"
#include "lib/mem.h"
#include "lib/nospec.h"
#include "lib/printf.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "core/time.h"
#include "dom/evtchn.h"
#include "dom/guest_copy.h"
#include "dom/shared_info.h"
#include <xen/sched.h>

static void singleshot_fired(void *arg)
{
	evtchn_virq(arg, VIRQ_TIMER);
}

static void periodic_fired(void *arg)
{
	struct vcpu *v = arg;
	uint64_t period = READ_ONCE(v->period);

	if (period == 0) {
		return;
	}
	timer_set(&v->periodic, time_now() + period);
	evtchn_virq(v, VIRQ_TIMER);
}

static void poll_timer_fired(void *arg)
{
	struct vcpu *v = arg;

	WRITE_ONCE(v->poll_timed_out, true);
	sched_wake(&v->unit);
}

int vcpu_create(struct domain *d, unsigned int id)
{
	bool pinned = d->flags & DOMF_PRIVILEGED;
	unsigned int cpu = pinned ? id % cpu_count : sched_least_loaded_cpu();
	struct vcpu *v = heap_new(struct vcpu);
	int rc;

	if (v == NULL) {
		return -ENOMEM;
	}
	v->domain = d;
	v->id = id;
	(void)printf_str(v->name, sizeof(v->name), "d%uv%u", d->id, id);
	timer_init(&v->singleshot, singleshot_fired, v);
	timer_init(&v->periodic, periodic_fired, v);
	timer_init(&v->poll_timer, poll_timer_fired, v);
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = time_now();
	rc = sched_unit_init(&v->unit, v->name, domain_ops->vcpu_loop, v, &vcpu_sched_hooks, cpu, pinned);
	if (rc != 0) {
		heap_free(v);
		return rc;
	}
	sched_join(&v->unit, &d->sched);
	rc = domain_ops->vcpu_init(v);
	if (rc != 0) {
		sched_unit_free(&v->unit);
		heap_free(v);
		return rc;
	}
	d->vcpu[id] = v;
	shared_info_vcpu_init(v);
	return 0;
}

void vcpu_stop(struct vcpu *v)
{
	WRITE_ONCE(v->period, 0); /* it does not set itself again */
	timer_stop(&v->singleshot);
	timer_stop(&v->periodic);
	timer_stop(&v->poll_timer);
	shared_info_vcpu_release(v);
}

void vcpu_free(struct vcpu *v)
{
	v->domain->vcpu[v->id] = NULL;
	sched_unit_free(&v->unit);
	domain_ops->vcpu_free(v);
	heap_free(v);
}

struct vcpu *domain_vcpu(const struct domain *d, unsigned int id)
{
	return id < d->max_vcpus ? d->vcpu[nospec_index(id, d->max_vcpus)] : NULL;
}

void vcpu_answered(struct vcpu *v)
{
	if (!READ_ONCE(v->domain->dead)) {
		sched_wake_answered(&v->unit);
	}
}

void vcpu_kick(struct vcpu *v)
{
	unsigned int cpu;
	struct cpu *c;

	if (READ_ONCE(v->domain->dead)) {
		return;
	}
	atomic_xchg(&v->kicked, (uint32_t)VCPU_LOOK);
	sched_wake(&v->unit);
	/* Whether it is in the guest now or about to be, the interrupt ends or prevents that. */
	cpu = READ_ONCE(v->unit.cpu);
	c = cpu < cpu_count ? cpus[cpu] : NULL;
	if (c != NULL && c != this_cpu() && READ_ONCE(c->current) == &v->unit) {
		smp_kick(cpu);
	}
}

void vcpu_start(struct vcpu *v)
{
	WRITE_ONCE(v->online, true);
	vcpu_kick(v);
}

void vcpu_park(struct vcpu *v)
{
	struct domain *d = v->domain;
	bool any = false;

	WRITE_ONCE(v->online, false);
	fence_full();
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		any |= READ_ONCE(d->vcpu[i]->online);
	}
	if (!any) {
		domain_shutdown(d, SHUTDOWN_poweroff);
	}
}

/* ---- runstate ---- */

void vcpu_runstate_change(struct vcpu *v, int state)
{
	uint64_t now = time_now();
	struct vcpu_runstate_info *r = &v->runstate;

	if (r->state == state) {
		return;
	}
	r->time[r->state] += now - r->state_entry_time;
	r->state_entry_time = now;
	r->state = state;
	if (v->runstate_addr != 0) {
		vcpu_areas_changed(v, VCPU_AREA_RUNSTATE);
	}
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *r)
{
	uint64_t now;

	*r = v->runstate;
	now = time_now();
	if (r->state < 0 || r->state > RUNSTATE_offline || now < r->state_entry_time) {
		return; /* caught between two writes of another CPU: the totals without the running part */
	}
	r->time[r->state] += now - r->state_entry_time;
}

/* The layout of a 32-bit guest: 64-bit members are aligned to 4. */
struct runstate_compat {
	int32_t state;
	uint64_t state_entry_time;
	uint64_t time[4];
} __attribute__((packed));

/* Store r at the registered address, in the layout it was registered with. */
static int runstate_store(struct vcpu *v, const struct vcpu_runstate_info *r)
{
	struct runstate_compat c;

	if (!v->runstate_compat) {
		return guest_copy_to(v, v->runstate_addr, r, sizeof(*r));
	}
	c.state = r->state;
	c.state_entry_time = r->state_entry_time;
	memcpy(c.time, r->time, sizeof(c.time));
	return guest_copy_to(v, v->runstate_addr, &c, sizeof(c));
}

static void runstate_flush_slowly(struct vcpu *v)
{
	struct vcpu_runstate_info r = v->runstate;
	uint64_t offset = v->runstate_compat ? offsetof(struct runstate_compat, state_entry_time)
					     : offsetof(struct vcpu_runstate_info, state_entry_time);
	uint64_t entry = r.state_entry_time;

	if (READ_ONCE(v->domain->vm_assist) & BIT(VMASST_TYPE_runstate_update_flag)) {
		entry |= XEN_RUNSTATE_UPDATE;
		if (guest_copy_to(v, v->runstate_addr + offset, &entry, sizeof(entry)) != 0) {
			return; /* unmapped for now: the next change tries again */
		}
		fence_release();
		r.state_entry_time |= XEN_RUNSTATE_UPDATE;
	}
	if (runstate_store(v, &r) != 0) {
		return;
	}
	fence_release();
	entry &= ~XEN_RUNSTATE_UPDATE;
	if (guest_copy_to(v, v->runstate_addr + offset, &entry, sizeof(entry)) != 0) {
		return;
	}
}

/* The common case, once per switch of every vCPU: the area lies in one page and has the 64-bit layout. */
static void runstate_write(void *area, void *arg)
{
	struct vcpu_runstate_info *r = area;
	const struct vcpu *v = arg;

	if (READ_ONCE(v->domain->vm_assist) & BIT(VMASST_TYPE_runstate_update_flag)) {
		WRITE_ONCE(r->state_entry_time, v->runstate.state_entry_time | XEN_RUNSTATE_UPDATE);
		fence_release();
	}
	r->state = v->runstate.state;
	for (unsigned int i = 0; i < ARRAY_SIZE(r->time); i++) {
		r->time[i] = v->runstate.time[i];
	}
	fence_release();
	WRITE_ONCE(r->state_entry_time, v->runstate.state_entry_time);
}

static void runstate_flush(struct vcpu *v)
{
	if (v->runstate_compat ||
	    guest_with_bytes(v, v->runstate_addr, sizeof(v->runstate), runstate_write, v) != 0) {
		runstate_flush_slowly(v);
	}
}

void vcpu_flush_areas(struct vcpu *v)
{
	uint32_t dirty = atomic_xchg(&v->areas_dirty, 0);

	if ((dirty & VCPU_AREA_RUNSTATE) && v->runstate_addr != 0) {
		runstate_flush(v);
	}
	if ((dirty & VCPU_AREA_TIME) && v->time_addr != 0) {
		shared_info_time_copy(v);
	}
}

/* ---- timers ---- */

void vcpu_set_singleshot(struct vcpu *v, uint64_t deadline_ns)
{
	timer_set(&v->singleshot, deadline_ns);
}

void vcpu_set_periodic(struct vcpu *v, uint64_t period_ns)
{
	WRITE_ONCE(v->period, period_ns);
	timer_set(&v->periodic, period_ns == 0 ? 0 : time_now() + period_ns);
}
