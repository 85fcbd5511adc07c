/*
 * I/O request servers: see ioreq_server.h.
 *
 * A server is on its domain's table until it is destroyed, and is freed with the last reference; the pages live as long
 * as it does (the device model's own mappings hold references of their own).
 */
#include "dom/ioreq_server.h"
#include "core/heap.h"
#include "dom/domain.h"
#include "dom/evtchn.h"
#include "dom/iorange.h"
#include "ioreq/bufring.h"
#include "ioreq/slot.h"
#include "lib/nospec.h"
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>

struct ioreq_server {
	struct domain *domain;          /* const */
	struct spinlock *lock;          /* const: the domain's LOCK_IOREQ */
	uint32_t refs;                  /* atomic */
	uint16_t id;                    /* const */
	uint8_t bufmode;                /* const */
	domid_t emulator;               /* const: whose it is */
	uint64_t born;                  /* const: larger is newer */
	bool enabled;                   /* [lock; read without] */
	struct page *slots, *ring_page; /* [lock] NULL: not yet */
	struct bufring ring;            /* [lock] */
	evtchn_port_t buf_port;         /* const after create */
	struct iorange_set *ranges[IOREQ_RANGE_TYPES];  /* [lock] contents */
	evtchn_port_t port[];           /* const after create: one per vCPU */
};

struct ioreq_servers {
	struct spinlock lock;           /* LOCK_IOREQ */
	struct ioreq_server *server[IOREQ_SERVERS_MAX]; /* [lock] */
	unsigned int limit;             /* [lock] ids that have been in use are below */
	uint64_t births;                /* [lock] */
};

_Static_assert(XEN_DMOP_IO_RANGE_PORT == IOREQ_RANGE_PORT && XEN_DMOP_IO_RANGE_MEMORY == IOREQ_RANGE_MEMORY &&
	       XEN_DMOP_IO_RANGE_PCI == IOREQ_RANGE_PCI, "range types are the ABI's");

int ioreq_servers_init(struct domain *d)
{
	d->ioreq = heap_new(struct ioreq_servers);
	if (d->ioreq == NULL) {
		return -ENOMEM;
	}
	spin_init(&d->ioreq->lock, LOCK_IOREQ);
	return 0;
}

void ioreq_servers_free(struct domain *d)
{
	heap_free(d->ioreq);
	d->ioreq = NULL;
}

/* ---- references ---- */

static void server_free(struct ioreq_server *s)
{
	for (unsigned int i = 0; i < IOREQ_RANGE_TYPES; i++) {
		heap_free(s->ranges[i]);
	}
	if (s->slots != NULL) {
		page_put(s->slots);
	}
	if (s->ring_page != NULL) {
		page_put(s->ring_page);
	}
	heap_free(s);
}

void ioreq_server_put(struct ioreq_server *s)
{
	if (atomic_sub(&s->refs, 1) == 1) {
		server_free(s);
	}
}

/* The server of this id, if it is `who`'s; lock held. */
static int find(struct domain *d, domid_t who, uint16_t id, struct ioreq_server **out)
{
	uint64_t slot = nospec_index(id, IOREQ_SERVERS_MAX);
	struct ioreq_server *s = id < IOREQ_SERVERS_MAX ? d->ioreq->server[slot] : NULL;

	if (s == NULL) {
		return -ENOENT;
	}
	if (s->emulator != who) {
		return -EPERM;
	}
	*out = s;
	return 0;
}

/* ---- creation and destruction ---- */

/* A device model has answered. Nobody but a vCPU that waits for that has to know. */
static void wake_vcpu(struct vcpu *v)
{
	vcpu_answered(v);
}

static void close_ports(struct ioreq_server *s)
{
	for (unsigned int i = 0; i < s->domain->max_vcpus; i++) {
		if (s->port[i] != 0) {
			evtchn_close_internal(s->domain, s->port[i]);
		}
	}
	if (s->buf_port != 0) {
		evtchn_close_internal(s->domain, s->buf_port);
	}
}

static int open_ports(struct ioreq_server *s)
{
	struct domain *d = s->domain;
	int rc = 0;

	for (unsigned int i = 0; rc == 0 && i < d->max_vcpus; i++) {
		rc = evtchn_alloc_internal(d->vcpu[i], s->emulator, wake_vcpu, &s->port[i]);
	}
	if (rc == 0 && s->bufmode != 0) {
		rc = evtchn_alloc_internal(d->vcpu[0], s->emulator, wake_vcpu, &s->buf_port);
	}
	return rc;
}

static struct ioreq_server *server_new(struct domain *d, domid_t who, uint8_t bufmode)
{
	struct ioreq_server *s = heap_alloc(sizeof(*s) + d->max_vcpus * sizeof(s->port[0]));

	if (s == NULL) {
		return NULL;
	}
	s->domain = d;
	s->lock = &d->ioreq->lock;
	s->refs = 1;
	s->emulator = who;
	s->bufmode = bufmode;
	for (unsigned int i = 0; i < IOREQ_RANGE_TYPES; i++) {
		s->ranges[i] = heap_new(struct iorange_set);
		if (s->ranges[i] == NULL) {
			server_free(s);
			return NULL;
		}
	}
	return s;
}

int ioreq_server_create(struct domain *d, domid_t who, uint8_t bufmode, uint16_t *id)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s;
	int rc;

	if (bufmode > HVM_IOREQSRV_BUFIOREQ_ATOMIC) {
		return -EINVAL;
	}
	s = server_new(d, who, bufmode);
	if (s == NULL) {
		return -ENOMEM;
	}
	rc = open_ports(s);
	if (rc == 0) {
		rc = -ENOSPC;
		spin_lock(&t->lock);
		for (uint16_t i = 0; rc != 0 && !READ_ONCE(d->dying) && i < IOREQ_SERVERS_MAX; i++) {
			if (t->server[i] == NULL) {
				s->id = *id = i;
				s->born = ++t->births;
				t->server[i] = s;
				t->limit = MAX(t->limit, i + 1u);
				rc = 0;
			}
		}
		spin_unlock(&t->lock);
	}
	if (rc != 0) {
		close_ports(s);
		server_free(s);
	}
	return rc;
}

/* Whoever waits for an answer of a server that is off now finds out. */
static void wake_all(struct domain *d)
{
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		vcpu_kick(d->vcpu[i]);
	}
}

/* A server just taken off the table. */
static void server_retire(struct ioreq_server *s)
{
	wake_all(s->domain);
	close_ports(s);
	ioreq_server_put(s);
}

int ioreq_server_destroy(struct domain *d, domid_t who, uint16_t id)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s;
	int rc;

	spin_lock(&t->lock);
	rc = find(d, who, id, &s);
	if (rc == 0) {
		t->server[id] = NULL;
		store_release(&s->enabled, false);
	}
	spin_unlock(&t->lock);
	if (rc == 0) {
		server_retire(s);
	}
	return rc;
}

void ioreq_servers_release(struct domain *d)
{
	struct ioreq_servers *t = d->ioreq;

	for (unsigned int i = 0; t != NULL && i < IOREQ_SERVERS_MAX; i++) {
		struct ioreq_server *s;
		spin_lock(&t->lock);
		s = t->server[i];
		t->server[i] = NULL;
		if (s != NULL) {
			store_release(&s->enabled, false);
		}
		spin_unlock(&t->lock);
		if (s != NULL) {
			close_ports(s);
			ioreq_server_put(s);
		}
	}
}

/* ---- pages and state ---- */

static struct page *page_new(struct domain *d)
{
	struct page *p = page_alloc_owned(d, 0);

	if (p != NULL) {
		domain_ref(d);
		p->flags |= PAGE_F_SPECIAL;
	}
	return p;
}

/* Make sure that the server has its pages; lock held. */
static int need_pages(struct ioreq_server *s)
{
	if (s->slots == NULL) {
		s->slots = page_new(s->domain);
	}
	if (s->bufmode != 0 && s->ring_page == NULL) {
		s->ring_page = page_new(s->domain);
		if (s->ring_page != NULL) {
			bufring_init(&s->ring, page_virt(s->ring_page), s->bufmode == HVM_IOREQSRV_BUFIOREQ_ATOMIC);
		}
	}
	return s->slots == NULL || (s->bufmode != 0 && s->ring_page == NULL) ? -ENOMEM : 0;
}

int ioreq_server_get_frame(struct domain *d, domid_t who, uint16_t id, uint64_t frame, struct page **page)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s;
	int rc;

	spin_lock(&t->lock);
	rc = find(d, who, id, &s);
	if (rc == 0 && frame > 1) {
		rc = -EINVAL;
	} else if (rc == 0 && frame == 0 && s->bufmode == 0) {
		rc = -ENOENT;
	}
	if (rc == 0) {
		rc = need_pages(s);
	}
	if (rc == 0) {
		*page = frame == 0 ? s->ring_page : s->slots;
		rc = page_get(*page) ? 0 : -EINVAL;
	}
	spin_unlock(&t->lock);
	return rc;
}

int ioreq_server_set_state(struct domain *d, domid_t who, uint16_t id, bool enabled)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s;
	bool changed = false;
	int rc;

	spin_lock(&t->lock);
	rc = find(d, who, id, &s);
	if (rc == 0 && enabled && !s->enabled) {
		rc = need_pages(s);
		for (unsigned int i = 0; rc == 0 && i < d->max_vcpus; i++) {
			/* A request of the time before it was disabled ends by itself. */
			if (!ioreq_busy(ioreq_server_slot(s, i))) {
				ioreq_slot_init(ioreq_server_slot(s, i), s->port[i]);
			}
		}
	}
	if (rc == 0) {
		changed = s->enabled != enabled;
		store_release(&s->enabled, enabled);
	}
	spin_unlock(&t->lock);
	if (changed && !enabled) {
		wake_all(d);
	}
	return rc;
}

int ioreq_server_info(struct domain *d, domid_t who, uint16_t id, evtchn_port_t *buf_port)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s;
	int rc;

	spin_lock(&t->lock);
	rc = find(d, who, id, &s);
	if (rc == 0) {
		*buf_port = s->buf_port;
	}
	spin_unlock(&t->lock);
	return rc;
}

/* ---- ranges ---- */

int ioreq_server_map_range(struct domain *d, domid_t who, uint16_t id, uint32_t type, uint64_t start, uint64_t end)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s;
	int rc;

	if (type >= IOREQ_RANGE_TYPES || start > end) {
		return -EINVAL;
	}
	spin_lock(&t->lock);
	rc = find(d, who, id, &s);
	if (rc == 0) {
		rc = iorange_add(s->ranges[type], start, end);
	}
	spin_unlock(&t->lock);
	return rc;
}

int ioreq_server_unmap_range(struct domain *d, domid_t who, uint16_t id, uint32_t type, uint64_t start, uint64_t end)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s;
	int rc;

	if (type >= IOREQ_RANGE_TYPES || start > end) {
		return -EINVAL;
	}
	spin_lock(&t->lock);
	rc = find(d, who, id, &s);
	if (rc == 0) {
		rc = iorange_remove(s->ranges[type], start, end);
	}
	spin_unlock(&t->lock);
	return rc;
}

struct ioreq_server *ioreq_server_select(struct domain *d, enum ioreq_range type, uint64_t addr, unsigned int size)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *best = NULL;
	uint64_t end = addr + size - 1;

	if (end < addr) {
		return NULL;
	}
	spin_lock(&t->lock);
	for (unsigned int i = 0; i < t->limit; i++) {
		struct ioreq_server *s = t->server[i];
		if (s != NULL && s->enabled && (best == NULL || s->born > best->born) &&
		    iorange_contains(s->ranges[type], addr, end)) {
			best = s;
		}
	}
	if (best != NULL) {
		atomic_add(&best->refs, 1);
	}
	spin_unlock(&t->lock);
	return best;
}

struct ioreq_server *ioreq_server_next(struct domain *d, unsigned int *id)
{
	struct ioreq_servers *t = d->ioreq;
	struct ioreq_server *s = NULL;

	spin_lock(&t->lock);
	while (s == NULL && *id < IOREQ_SERVERS_MAX) {
		s = t->server[(*id)++];
		if (s != NULL && !s->enabled) {
			s = NULL;
		}
	}
	if (s != NULL) {
		atomic_add(&s->refs, 1);
	}
	spin_unlock(&t->lock);
	return s;
}

/* ---- use ---- */

bool ioreq_server_active(const struct ioreq_server *s)
{
	return load_acquire(&s->enabled);
}

struct ioreq_slot *ioreq_server_slot(struct ioreq_server *s, unsigned int vcpu)
{
	return (struct ioreq_slot *)page_virt(s->slots) + vcpu;
}

evtchn_port_t ioreq_server_port(const struct ioreq_server *s, unsigned int vcpu)
{
	return s->port[vcpu];
}

void ioreq_server_notify(struct ioreq_server *s, unsigned int vcpu)
{
	evtchn_notify_internal(s->domain, s->port[vcpu]);
}

int ioreq_server_buffer(struct ioreq_server *s, const struct ioreq *req)
{
	int rc;

	if (s->bufmode == 0) {
		return -EOPNOTSUPP;
	}
	spin_lock(s->lock);
	rc = s->enabled ? bufring_put(&s->ring, req) : -EOPNOTSUPP;
	spin_unlock(s->lock);
	if (rc == 0) {
		evtchn_notify_internal(s->domain, s->buf_port);
	}
	return rc;
}
