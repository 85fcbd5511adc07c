/*
 * Domains: creation, look-up, references, pause, shutdown, destruction.
 *
 * Owns the list of domains and struct domain itself; each subsystem owns what its pointer leads to. A domain is
 * referenced by the list, by whoever found it with domain_get(), and by every frame that it owns and that is not
 * free yet. domain_destroy() gives up everything that others could reach; what is left (the shell) goes with the last
 * reference. Locks: LOCK_DOMLIST for the list, LOCK_DOMAIN (d->lock) for life state.
 *
 * A vCPU of a dying domain is not killed where it is: its unit is let run until its loop sees d->dying and ends, so
 * that every function on its stack gives back what it holds.
 */
#include "dom/domain.h"
#include "lib/bug.h"
#include "lib/mem.h"
#include "core/cmdline.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/sched_credit.h"
#include "core/time.h"
#include "arch/machine.h"
#include "arch/virt.h"
#include "dom/evtchn.h"
#include "dom/grant.h"
#include "dom/ioreq_server.h"
#include "dom/populate.h"
#include "dom/shared_info.h"
#include <xen/sched.h>

#define TEARDOWN_BUDGET 256             /* entries between two chances for others to run */

const struct domain_ops *domain_ops;
struct domain *dom0;
static void dom0_stop(uint8_t reason);
void (*domain_dom0_stopped)(uint8_t reason) = dom0_stop;

static struct list domains = LIST_INIT(domains);
static struct spinlock list_lock = SPINLOCK_INIT(LOCK_DOMLIST);
static domid_t next_id = 1;             /* [list_lock] */

struct vcpu *current_vcpu(void)
{
	struct sched_unit *u = sched_current();

	if (u == NULL || domain_ops == NULL || u->entry != domain_ops->vcpu_loop) {
		return NULL;
	}
	return unit_vcpu(u);
}

/* ---- references and the list ---- */

void domain_ref(struct domain *d)
{
	atomic_add(&d->refs, 1);
}

/* The list has no entry any more and nobody has a pointer: give the shell back. */
static void domain_free(struct domain *d)
{
	for (unsigned int i = 0; d->vcpu != NULL && i < d->max_vcpus; i++) {
		if (d->vcpu[i] != NULL) {
			vcpu_free(d->vcpu[i]);
		}
	}
	if (d->hvm != NULL) {
		domain_ops->domain_free(d);
	}
	ioreq_servers_free(d);
	grant_free(d);
	evtchn_free(d);
	shared_info_free(d);
	if (d->p2m.format != NULL) {
		p2m_free(&d->p2m);
	}
	heap_free(d->e820);
	heap_free(d->vcpu);
	heap_free(d);
}

void domain_put(struct domain *d)
{
	uint32_t old = atomic_sub(&d->refs, 1);

	BUG_ON(old == 0);
	if (old == 1) {
		domain_free(d);
	}
}

void page_owner_gone(struct domain *d, bool charged)
{
	if (charged) {
		populate_uncharge(d, 1);
	}
	domain_put(d);
}

static struct domain *list_find(domid_t id)
{
	list_for_each(n, &domains) {
		struct domain *d = list_entry(n, struct domain, link);
		if (d->id == id) {
			return d;
		}
	}
	return NULL;
}

struct domain *domain_get(domid_t id)
{
	struct domain *d = NULL;

	if (id == DOMID_SELF) {
		struct vcpu *v = current_vcpu();
		if (v == NULL) {
			return NULL;
		}
		domain_ref(v->domain);
		return v->domain;
	}
	spin_lock(&list_lock);
	d = list_find(id);
	if (d != NULL) {
		domain_ref(d);
	}
	spin_unlock(&list_lock);
	return d;
}

struct domain *domain_get_from(domid_t id)
{
	struct domain *best = NULL;

	spin_lock(&list_lock);
	list_for_each(n, &domains) {
		struct domain *d = list_entry(n, struct domain, link);
		if (d->id >= id && (best == NULL || d->id < best->id)) {
			best = d;
		}
	}
	if (best != NULL) {
		domain_ref(best);
	}
	spin_unlock(&list_lock);
	return best;
}

/* ---- creation ---- */

/* Ids are given out in a circle, so that a number is not reused while somebody may still mean the old domain. */
static int id_choose(const struct domain_config *c, domid_t *id)
{
	int rc = -ENOSPC;

	if (c->flags & DOMF_PRIVILEGED) {
		*id = 0;
		return 0;
	}
	spin_lock(&list_lock);
	if (c->id != 0 && c->id < DOMID_FIRST_RESERVED) {
		*id = c->id;
		rc = list_find(c->id) == NULL ? 0 : -EEXIST;
	} else {
		for (unsigned int tries = 0; tries < DOMID_FIRST_RESERVED && rc != 0; tries++) {
			*id = next_id;
			next_id = next_id + 1u < DOMID_FIRST_RESERVED ? (domid_t)(next_id + 1) : 1;
			rc = list_find(*id) == NULL ? 0 : -ENOSPC;
		}
	}
	spin_unlock(&list_lock);
	return rc;
}

static void watchdog_fired(void *arg)
{
	struct domain *d = arg;

	guest_log(d, "watchdog expired");
	domain_shutdown(d, SHUTDOWN_watchdog);
}

static void domain_set_up(struct domain *d, const struct domain_config *c)
{
	list_init(&d->link);
	list_init(&d->pages);
	spin_init(&d->lock, LOCK_DOMAIN);
	spin_init(&d->page_lock, LOCK_DOMPAGES);
	d->refs = 1;
	d->flags = c->flags;
	d->max_vcpus = c->max_vcpus;
	d->emulation_flags = c->emulation_flags;
	memcpy(d->handle, c->handle, sizeof(d->handle));
	d->max_pages = (c->flags & DOMF_PRIVILEGED) ? ~0ull : 0;
	d->created_ns = time_now();
	d->weight = SCHED_WEIGHT_DEFAULT;
	for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdog); i++) {
		timer_init(&d->watchdog[i], watchdog_fired, d);
	}
}

static int domain_build(struct domain *d, const struct domain_config *c)
{
	int rc = p2m_init(&d->p2m, virt->p2m);

	if (rc == 0 && !(c->flags & DOMF_PRIVILEGED)) {
		p2m_set_limit(d, 0);
	}
	if (rc == 0) {
		rc = shared_info_init(d);
	}
	if (rc == 0) {
		rc = evtchn_init(d, c->max_evtchn_port);
	}
	if (rc == 0) {
		rc = grant_init(d, c->max_grant_frames, c->max_maptrack_frames);
	}
	if (rc == 0) {
		rc = ioreq_servers_init(d);
	}
	if (rc == 0) {
		rc = domain_ops->domain_init(d);
	}
	for (unsigned int i = 0; rc == 0 && i < d->max_vcpus; i++) {
		rc = vcpu_create(d, i);
	}
	return rc;
}

/* Give up what carries references to the domain itself, after which the last put frees it. */
static void release_subsystems(struct domain *d)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		if (d->vcpu[i] != NULL) {
			vcpu_stop(d->vcpu[i]);
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(d->watchdog); i++) {
		timer_stop(&d->watchdog[i]);
	}
	ioreq_servers_release(d);
	evtchn_release(d);
	grant_release(d);
	shared_info_release(d);
}

int domain_create(const struct domain_config *c, struct domain **out)
{
	struct domain *d;
	domid_t id;
	int rc;

	if (c->max_vcpus == 0 || c->max_vcpus > DOMAIN_VCPUS_MAX || !(c->flags & DOMF_HVM)) {
		return -EINVAL;
	}
	rc = id_choose(c, &id);
	if (rc != 0) {
		return rc;
	}
	d = heap_new(struct domain);
	if (d == NULL) {
		return -ENOMEM;
	}
	d->id = id;
	domain_set_up(d, c);
	d->vcpu = heap_alloc(c->max_vcpus * sizeof(d->vcpu[0]));
	if (d->vcpu == NULL) {
		heap_free(d);
		return -ENOMEM;
	}
	rc = domain_build(d, c);
	if (rc == 0) {
		if (!(c->flags & DOMF_PRIVILEGED)) {
			(void)domain_pause(d);
		}
		spin_lock(&list_lock);
		if (list_find(id) != NULL) {
			rc = -EEXIST;
		} else {
			list_add_tail(&domains, &d->link);
		}
		spin_unlock(&list_lock);
	}
	if (rc != 0) {
		d->dying = true;
		release_subsystems(d);
		domain_put(d);
		return rc;
	}
	if (c->flags & DOMF_PRIVILEGED) {
		dom0 = d;
	}
	*out = d;
	return 0;
}

/* ---- pause, shutdown ---- */

static void pause_units(struct domain *d, bool wait)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct sched_unit *u = &d->vcpu[i]->unit;
		if (wait) {
			sched_pause(u);
		} else {
			sched_pause_nosync(u);
		}
	}
}

static void unpause_units(struct domain *d)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		sched_unpause(&d->vcpu[i]->unit);
	}
}

int domain_pause(struct domain *d)
{
	struct vcpu *v = current_vcpu();

	if (v != NULL && v->domain == d) {
		return -EINVAL;
	}
	spin_lock(&d->lock);
	if (d->pause_count++ == 0 && !d->dying) {
		pause_units(d, false);
	}
	spin_unlock(&d->lock);
	if (!READ_ONCE(d->dying)) {
		/* The count is taken already; a second one, given back at once, waits outside the lock. */
		pause_units(d, true);
		unpause_units(d);
	}
	return 0;
}

int domain_unpause(struct domain *d)
{
	int rc = 0;

	spin_lock(&d->lock);
	if (d->pause_count == 0) {
		rc = -EINVAL;
	} else if (--d->pause_count == 0 && !d->dying) {
		unpause_units(d);
	}
	spin_unlock(&d->lock);
	return rc;
}

/* Without Dom0 there is nothing left to do. It powers the machine off by itself; "power off" here is a halt. */
static void dom0_stop(uint8_t reason)
{
	bool halt = reason == SHUTDOWN_poweroff || cmdline.noreboot;

	log_info("Dom0 stopped: %s", halt ? "the machine stays halted" : "the machine restarts");
	machine_stop_others();
	machine_reset_or_stop(halt);
}

void domain_shutdown(struct domain *d, uint8_t reason)
{
	bool first = false;

	spin_lock(&d->lock);
	if (!d->shutdown && !d->dying) {
		d->shutdown_code = reason;
		WRITE_ONCE(d->shutdown, true);
		pause_units(d, false);
		first = true;
	}
	spin_unlock(&d->lock);
	if (!first) {
		return;
	}
	log_info("d%u: shut down, reason %u\n", d->id, reason);
	if (d == dom0) {
		domain_dom0_stopped(reason);
	}
	evtchn_global_virq(VIRQ_DOM_EXC);
}

int domain_resume(struct domain *d)
{
	int rc = -EINVAL;

	spin_lock(&d->lock);
	if (d->shutdown && !d->crashed && !d->dying) {
		WRITE_ONCE(d->shutdown, false);
		d->shutdown_code = 0;
		unpause_units(d);
		rc = 0;
	}
	spin_unlock(&d->lock);
	return rc;
}

int domain_watchdog(struct domain *d, uint32_t id, uint32_t seconds)
{
	int rc = 0;

	spin_lock(&d->lock);
	if (id > ARRAY_SIZE(d->watchdog) || (id == 0 && seconds == 0)) {
		rc = -EINVAL;
	} else if (id == 0) {
		while (id < ARRAY_SIZE(d->watchdog) && (d->watchdog_used & BIT(id))) {
			id++;
		}
		rc = id < ARRAY_SIZE(d->watchdog) ? (int)++id : -ENOSPC;
	} else if (!(d->watchdog_used & BIT(id - 1))) {
		rc = -EINVAL;
	}
	if (rc >= 0 && !d->dying) {
		if (seconds != 0) {
			d->watchdog_used |= (uint32_t)BIT(id - 1);
			timer_set(&d->watchdog[id - 1], time_now() + seconds * 1000000000ull);
		} else {
			d->watchdog_used &= ~(uint32_t)BIT(id - 1);
			timer_set(&d->watchdog[id - 1], 0);
		}
	}
	spin_unlock(&d->lock);
	return rc;
}

uint64_t domain_run_time(const struct domain *d)
{
	uint64_t ns = 0;

	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		ns += sched_run_time(&d->vcpu[i]->unit);
	}
	return ns;
}

/* ---- destruction ---- */

/* Mark the domain as dying; true for the one caller who is to tear it down. */
static bool destroy_begin(struct domain *d)
{
	bool mine = false;

	spin_lock(&d->lock);
	if (!d->dying) {
		mine = true;
		WRITE_ONCE(d->dying, true);
		sched_set_cap(&d->sched, 0); /* its vCPUs have to run to their end */
		if (d->pause_count != 0) {
			unpause_units(d);
		}
		if (d->shutdown) {
			unpause_units(d);
		}
	}
	spin_unlock(&d->lock);
	return mine;
}

/* Let every vCPU run until its loop ends. Offline ones too: they start, see that the domain dies, and end. */
static void end_units(struct domain *d)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		vcpu_kick(d->vcpu[i]);
	}
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct sched_unit *u = &d->vcpu[i]->unit;
		while (READ_ONCE(u->state) != SCHED_EXITED) {
			sched_wake(u);
			sched_yield();
		}
	}
}

int domain_destroy(struct domain *d)
{
	struct vcpu *v = current_vcpu();

	if (d == dom0 || (v != NULL && v->domain == d)) {
		return -EINVAL;
	}
	if (!destroy_begin(d)) {
		while (!READ_ONCE(d->dead)) {
			sched_yield();
		}
		return 0;
	}
	end_units(d);
	release_subsystems(d);
	while (p2m_teardown(d, TEARDOWN_BUDGET) == -ERESTART) {
		sched_check();
	}
	while (!populate_release_some(d, TEARDOWN_BUDGET)) {
		sched_check();
	}
	spin_lock(&list_lock);
	list_del(&d->link);
	spin_unlock(&list_lock);
	spin_lock(&d->lock);
	WRITE_ONCE(d->dead, true);
	spin_unlock(&d->lock);
	log_info("d%u: destroyed\n", d->id);
	evtchn_global_virq(VIRQ_DOM_EXC);
	domain_put(d);
	return 0;
}
