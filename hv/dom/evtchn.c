/*
 * Event channels: see evtchn.h.
 *
 * A table grows in blocks of ports as they are needed, so that a small guest costs little. A channel's far end is kept
 * as a bare pointer: a domain that goes away closes all of its ports first, under the same lock.
 */
#include "dom/evtchn.h"
#include "lib/mem.h"
#include "lib/nospec.h"
#include "core/heap.h"
#include "dom/domain.h"
#include "dom/shared_info.h"

#define BLOCK_PORTS 64
#define MAX_PORTS   4096

struct evtchn {
	uint8_t state;                  /* EVTCHNSTAT_* */
	bool internal;                  /* the near end is the hypervisor */
	uint8_t virq;
	uint16_t vcpu;                  /* who is notified; whose, for internal ports */
	domid_t remote_id;              /* unbound: who may bind */
	evtchn_port_t remote_port;      /* interdomain */
	struct domain *remote;          /* interdomain */
	void (*notify)(struct vcpu *v); /* internal */
};

struct evtchn_table {
	struct evtchn *block[MAX_PORTS / BLOCK_PORTS];  /* [evtchn_lock] */
	uint32_t limit;                 /* const: ports below this may be used */
	uint32_t pollers;               /* atomic: vCPUs in evtchn_poll() */
	bool closed;                    /* [evtchn_lock] no new ports */
};

static struct spinlock evtchn_lock = SPINLOCK_INIT(LOCK_EVTCHN);

int evtchn_init(struct domain *d, uint32_t max_port)
{
	struct evtchn_table *t = heap_new(struct evtchn_table);

	if (t == NULL) {
		return -ENOMEM;
	}
	t->limit = max_port >= MAX_PORTS ? MAX_PORTS : max_port + 1;
	d->evtchn = t;
	return 0;
}

void evtchn_free(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;

	if (t == NULL) {
		return;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(t->block); i++) {
		heap_free(t->block[i]);
	}
	heap_free(t);
	d->evtchn = NULL;
}

/* ---- the table; all with the lock held ---- */

/* Ports that exist under the present layout of shared_info. */
static unsigned int port_limit(const struct domain *d)
{
	return MIN(d->evtchn->limit, shared_info_ports(d));
}

/* The channel of a port in use or free; NULL: out of range or never used. */
static struct evtchn *lookup(const struct domain *d, evtchn_port_t port)
{
	struct evtchn *block;

	if (port == 0 || port >= d->evtchn->limit) {
		return NULL;
	}
	port = (evtchn_port_t)nospec_index(port, d->evtchn->limit);
	block = d->evtchn->block[port / BLOCK_PORTS];
	return block != NULL ? &block[port % BLOCK_PORTS] : NULL;
}

/* Like lookup, but only ports in use whose near end is the guest's. */
static struct evtchn *guest_port(const struct domain *d, evtchn_port_t port)
{
	struct evtchn *e = lookup(d, port);

	return e != NULL && e->state != EVTCHNSTAT_closed && !e->internal ? e : NULL;
}

static int port_alloc(struct domain *d, evtchn_port_t *port, struct evtchn **out)
{
	struct evtchn_table *t = d->evtchn;
	unsigned int limit = port_limit(d);

	if (t->closed || READ_ONCE(d->dying)) {
		return -ESRCH;
	}
	for (evtchn_port_t p = 1; p < limit; p++) {
		struct evtchn **block = &t->block[p / BLOCK_PORTS];
		if (*block == NULL) {
			*block = heap_alloc(BLOCK_PORTS * sizeof(**block));
		}
		if (*block == NULL) {
			return -ENOMEM;
		}
		if ((*block)[p % BLOCK_PORTS].state == EVTCHNSTAT_closed) {
			*port = p;
			*out = &(*block)[p % BLOCK_PORTS];
			memset(*out, 0, sizeof(**out));
			return 0;
		}
	}
	return -ENOSPC;
}

static void wake_pollers(struct domain *d)
{
	if (load_acquire(&d->evtchn->pollers) == 0) {
		return;
	}
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		sched_wake(&d->vcpu[i]->unit);
	}
}

/* Deliver to d's own end of a channel. */
static void set_pending(struct domain *d, evtchn_port_t port, const struct evtchn *e)
{
	struct vcpu *v = domain_vcpu(d, e->vcpu);
	bool was;

	if (v == NULL) {
		return;
	}
	if (e->internal) {
		e->notify(v);
		return;
	}
	if (shared_info_set_pending(v, port, &was)) {
		domain_ops->upcall(v);
	}
	if (!was) {
		fence_full(); /* the bit before the look at the pollers; evtchn_poll() does the reverse */
		wake_pollers(d);
	}
}

/* ---- making channels ---- */

int evtchn_alloc_unbound(struct domain *d, domid_t remote_id, evtchn_port_t *port)
{
	struct evtchn *e;
	int rc;

	spin_lock(&evtchn_lock);
	rc = port_alloc(d, port, &e);
	if (rc == 0) {
		e->state = EVTCHNSTAT_unbound;
		e->remote_id = remote_id;
		shared_info_clear_pending(d, *port);
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

int evtchn_alloc_internal(struct vcpu *v, domid_t remote_id, void (*notify)(struct vcpu *v), evtchn_port_t *port)
{
	struct evtchn *e;
	int rc;

	spin_lock(&evtchn_lock);
	rc = port_alloc(v->domain, port, &e);
	if (rc == 0) {
		e->state = EVTCHNSTAT_unbound;
		e->remote_id = remote_id;
		e->internal = true;
		e->vcpu = (uint16_t)v->id;
		e->notify = notify;
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote, evtchn_port_t remote_port, evtchn_port_t *port)
{
	struct evtchn *e, *far;
	int rc;

	spin_lock(&evtchn_lock);
	rc = port_alloc(d, port, &e);
	if (rc == 0) {
		far = READ_ONCE(remote->dying) ? NULL : lookup(remote, remote_port);
		/* e is still "closed", so the far port cannot be the new one itself. */
		if (far == NULL || far->state != EVTCHNSTAT_unbound || far->remote_id != d->id) {
			rc = -EINVAL;
		}
	}
	if (rc == 0) {
		e->state = EVTCHNSTAT_interdomain;
		e->remote = remote;
		e->remote_port = remote_port;
		far->state = EVTCHNSTAT_interdomain;
		far->remote = d;
		far->remote_port = *port;
		shared_info_clear_pending(d, *port);
		/* The far end may have been sent to before we were there: look once. */
		set_pending(d, *port, e);
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

static bool virq_is_global(uint32_t virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu, evtchn_port_t *port)
{
	struct vcpu *v = domain_vcpu(d, vcpu);
	struct evtchn *e;
	int rc;

	if (virq >= NR_VIRQS || (virq_is_global(virq) && vcpu != 0)) {
		return -EINVAL;
	}
	if (v == NULL) {
		return -ENOENT;
	}
	virq = (uint32_t)nospec_index(virq, NR_VIRQS);
	spin_lock(&evtchn_lock);
	rc = v->virq_port[virq] != 0 ? -EEXIST : port_alloc(d, port, &e);
	if (rc == 0) {
		e->state = EVTCHNSTAT_virq;
		e->virq = (uint8_t)virq;
		e->vcpu = (uint16_t)vcpu;
		v->virq_port[virq] = (uint16_t)*port;
		shared_info_clear_pending(d, *port);
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, evtchn_port_t *port)
{
	struct evtchn *e;
	int rc;

	if (domain_vcpu(d, vcpu) == NULL) {
		return -ENOENT;
	}
	spin_lock(&evtchn_lock);
	rc = port_alloc(d, port, &e);
	if (rc == 0) {
		e->state = EVTCHNSTAT_ipi;
		e->vcpu = (uint16_t)vcpu;
		shared_info_clear_pending(d, *port);
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

/* ---- ending channels ---- */

static void close_one(struct domain *d, evtchn_port_t port, struct evtchn *e)
{
	if (e->state == EVTCHNSTAT_interdomain) {
		struct evtchn *far = lookup(e->remote, e->remote_port);
		far->state = EVTCHNSTAT_unbound;
		far->remote_id = d->id;
		far->remote = NULL;
	} else if (e->state == EVTCHNSTAT_virq) {
		/* Global ones are always entered at vCPU 0, wherever they are delivered. */
		unsigned int home = virq_is_global(e->virq) ? 0 : e->vcpu;
		d->vcpu[home]->virq_port[e->virq] = 0;
	}
	shared_info_clear_pending(d, port);
	memset(e, 0, sizeof(*e));
}

int evtchn_close(struct domain *d, evtchn_port_t port)
{
	struct evtchn *e;

	spin_lock(&evtchn_lock);
	e = guest_port(d, port);
	if (e != NULL) {
		close_one(d, port, e);
	}
	spin_unlock(&evtchn_lock);
	return e != NULL ? 0 : -EINVAL;
}

void evtchn_close_internal(struct domain *d, evtchn_port_t port)
{
	struct evtchn *e;

	spin_lock(&evtchn_lock);
	e = lookup(d, port);
	if (e != NULL && e->state != EVTCHNSTAT_closed && e->internal) {
		close_one(d, port, e);
	}
	spin_unlock(&evtchn_lock);
}

/* Close all ports; internal ones only with all. In one go: at most 4096 short steps. */
static void close_many(struct domain *d, bool all)
{
	for (evtchn_port_t p = 1; p < d->evtchn->limit; p++) {
		struct evtchn *e = lookup(d, p);
		if (e != NULL && e->state != EVTCHNSTAT_closed && (all || !e->internal)) {
			close_one(d, p, e);
		}
	}
}

int evtchn_reset(struct domain *d)
{
	spin_lock(&evtchn_lock);
	close_many(d, false);
	spin_unlock(&evtchn_lock);
	return 0;
}

void evtchn_release(struct domain *d)
{
	if (d->evtchn == NULL) {
		return;
	}
	spin_lock(&evtchn_lock);
	d->evtchn->closed = true;
	close_many(d, true);
	spin_unlock(&evtchn_lock);
}

/* ---- using channels ---- */

int evtchn_send(struct domain *d, evtchn_port_t port)
{
	struct evtchn *e, *far;
	int rc = 0;

	spin_lock(&evtchn_lock);
	e = guest_port(d, port);
	if (e == NULL) {
		rc = -EINVAL;
	} else if (e->state == EVTCHNSTAT_interdomain) {
		far = lookup(e->remote, e->remote_port);
		set_pending(e->remote, e->remote_port, far);
	} else if (e->state == EVTCHNSTAT_ipi) {
		set_pending(d, port, e);
	} else if (e->state != EVTCHNSTAT_unbound) {
		rc = -EINVAL;
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

void evtchn_notify_internal(struct domain *d, evtchn_port_t port)
{
	struct evtchn *e;

	spin_lock(&evtchn_lock);
	e = lookup(d, port);
	if (e != NULL && e->internal && e->state == EVTCHNSTAT_interdomain) {
		set_pending(e->remote, e->remote_port, lookup(e->remote, e->remote_port));
	}
	spin_unlock(&evtchn_lock);
}

static void raise_virq(struct vcpu *v, unsigned int virq)
{
	struct evtchn *e;
	evtchn_port_t port;

	spin_lock(&evtchn_lock);
	port = v->virq_port[virq];
	e = port != 0 ? lookup(v->domain, port) : NULL;
	if (e != NULL && e->state == EVTCHNSTAT_virq) {
		set_pending(v->domain, port, e);
	}
	spin_unlock(&evtchn_lock);
}

void evtchn_virq(struct vcpu *v, unsigned int virq)
{
	if (!READ_ONCE(v->domain->dying)) {
		raise_virq(v, virq);
	}
}

void evtchn_global_virq(unsigned int virq)
{
	if (dom0 != NULL) {
		raise_virq(dom0->vcpu[0], virq);
	}
}

int evtchn_status(struct domain *d, struct evtchn_status *s)
{
	struct evtchn *e;
	int rc = 0;

	s->status = EVTCHNSTAT_closed;
	s->vcpu = 0;
	memset(&s->u, 0, sizeof(s->u));
	if (s->port >= port_limit(d)) {
		return -EINVAL;
	}
	spin_lock(&evtchn_lock);
	e = lookup(d, s->port);
	if (e != NULL && e->internal) {
		rc = -EACCES;
	} else if (e != NULL) {
		s->status = e->state;
		s->vcpu = e->vcpu;
		if (e->state == EVTCHNSTAT_unbound) {
			s->u.unbound.dom = e->remote_id;
		} else if (e->state == EVTCHNSTAT_interdomain) {
			s->u.interdomain.dom = e->remote->id;
			s->u.interdomain.port = e->remote_port;
		} else if (e->state == EVTCHNSTAT_virq) {
			s->u.virq = e->virq;
		}
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, uint32_t vcpu)
{
	struct evtchn *e;
	int rc = -EINVAL;

	if (domain_vcpu(d, vcpu) == NULL) {
		return -ENOENT;
	}
	spin_lock(&evtchn_lock);
	e = guest_port(d, port);
	if (e != NULL && (e->state == EVTCHNSTAT_unbound || e->state == EVTCHNSTAT_interdomain ||
			  (e->state == EVTCHNSTAT_virq && virq_is_global(e->virq)))) {
		e->vcpu = (uint16_t)vcpu;
		rc = 0;
	}
	spin_unlock(&evtchn_lock);
	return rc;
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
	struct evtchn *e;
	struct vcpu *v;

	spin_lock(&evtchn_lock);
	e = guest_port(d, port);
	v = e != NULL ? domain_vcpu(d, e->vcpu) : NULL;
	if (v != NULL && shared_info_unmask(v, port)) {
		domain_ops->upcall(v);
	}
	spin_unlock(&evtchn_lock);
	return v != NULL ? 0 : -EINVAL;
}

/* ---- poll ---- */

static bool any_pending(struct domain *d, const evtchn_port_t *ports, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (shared_info_is_pending(d, ports[i])) {
			return true;
		}
	}
	return false;
}

int evtchn_poll(struct vcpu *v, const evtchn_port_t *ports, unsigned int count, uint64_t timeout_ns)
{
	struct domain *d = v->domain;
	int rc;

	for (unsigned int i = 0; i < count; i++) {
		if (ports[i] == 0 || ports[i] >= port_limit(d)) {
			return -EINVAL;
		}
	}
	atomic_add(&d->evtchn->pollers, 1);
	WRITE_ONCE(v->poll_timed_out, false);
	if (timeout_ns != 0) {
		timer_set(&v->poll_timer, timeout_ns);
	}
	WRITE_ONCE(v->blocked, true);
	rc = sched_wait(any_pending(d, ports, count) || (READ_ONCE(v->kicked) & VCPU_LOOK) || READ_ONCE(v->poll_timed_out),
			READ_ONCE(d->dying));
	WRITE_ONCE(v->blocked, false);
	if (timeout_ns != 0) {
		timer_stop(&v->poll_timer);
	}
	atomic_sub(&d->evtchn->pollers, 1);
	return rc;
}
