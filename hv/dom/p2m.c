/*
 * The policy of the guest-physical map: types, references, and when translations are retired.
 *
 * Contract in p2m.h. Lock: LOCK_P2M of the domain.
 */
#include "dom/p2m.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "dom/domain.h"
#include "dom/p2m_tree.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/mem.h"

static const enum p2m_access type_access[P2M_TYPES] = {
	[P2M_HOLE] = P2M_ACC_NONE,
	[P2M_RAM] = P2M_ACC_RWX,
	[P2M_RAM_RO] = P2M_ACC_RX,
	[P2M_MMIO_DM] = P2M_ACC_NONE,
	[P2M_MMIO_DIRECT] = P2M_ACC_RW,
	[P2M_FOREIGN] = P2M_ACC_RW,
	[P2M_GRANT_RW] = P2M_ACC_RW,
	[P2M_GRANT_RO] = P2M_ACC_R,
	[P2M_SPECIAL] = P2M_ACC_RW,
};

#define TABLES_MIN      256             /* what is scattered: ROMs, frame buffer, shared pages */
#define PAGES_PER_TABLE 128

/* Does an entry of this type hold a page reference of its own? */
static bool type_holds_ref(enum p2m_type t)
{
	return t == P2M_FOREIGN || t == P2M_GRANT_RW || t == P2M_GRANT_RO;
}

enum p2m_access p2m_type_access(enum p2m_type type)
{
	return type < P2M_TYPES ? type_access[type] : P2M_ACC_NONE;
}

enum p2m_cache p2m_type_cache(enum p2m_type type)
{
	return type == P2M_MMIO_DIRECT ? P2M_CACHE_DEVICE : P2M_CACHE_WB;
}

int p2m_init(struct p2m *p, const struct p2m_format *format)
{
	void *root = page_alloc_virt();
	if (root == NULL) {
		return -ENOMEM;
	}
	p->format = format;
	spin_init(&p->lock, LOCK_P2M);
	p->root = virt_hpa(root);
	p->tables = 1;
	p->gen = 1;
	p->near_epoch = 1;
	return 0;
}

void p2m_set_limit(struct domain *d, uint64_t pages)
{
	spin_lock(&d->p2m.lock);
	d->p2m.max_tables = TABLES_MIN + pages / PAGES_PER_TABLE;
	spin_unlock(&d->p2m.lock);
}

void p2m_free(struct p2m *p)
{
	if (p->root.v != 0) {
		page_free_virt(hpa_virt(p->root));
		p->root = HPA(0);
	}
}

/* Retire every old translation: vCPUs that run elsewhere leave the guest, and each flushes at its next entry because
 * the generation moved. The vCPU that asked is in the hypervisor already. */
static void retire(struct domain *d)
{
	uint64_t mask = 0;
	atomic_add(&d->p2m.gen, 1);
	for (unsigned int i = 0; d->vcpu != NULL && i < d->max_vcpus; i++) {
		const struct vcpu *v = d->vcpu[i];
		if (v != NULL && v->unit.state == SCHED_RUNNING && v->unit.cpu != this_cpu()->id) {
			mask |= BIT(v->unit.cpu);
		}
	}
	if (mask != 0) {
		smp_exit_guests(mask);
	}
}

static struct p2m_entry decode(const struct p2m *p, uint64_t e, unsigned int level, gfn_t gfn)
{
	const struct p2m_format *f = p->format;
	struct p2m_entry r = { MFN_INVALID, p2m_fmt_type(f, e), 9 * (level - 1) };
	if (p2m_fmt_present(f, e)) {
		r.mfn = mfn_add(p2m_fmt_mfn(e), gfn.v & MASK(r.order));
	}
	return r;
}

static struct p2m_entry lookup_locked(struct p2m *p, gfn_t gfn)
{
	unsigned int level;
	uint64_t e = p2m_tree_get(p, gfn, &level);
	return decode(p, e, level, gfn);
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
	spin_lock(&d->p2m.lock);
	struct p2m_entry r = lookup_locked(&d->p2m, gfn);
	spin_unlock(&d->p2m.lock);
	return r;
}

/* Free the tables on gfn's path that hold nothing: a domain that maps others' pages here and there would otherwise
 * keep a table for each place where there ever was one. */
static void prune_locked(struct domain *d, gfn_t gfn)
{
	uint64_t emptied[P2M_PRUNE_MAX];
	unsigned int n = p2m_tree_prune(&d->p2m, gfn, emptied);
	/* A walker may have cached where a table is: its frame is free for others only after the flush. */
	retire(d);
	for (unsigned int i = 0; i < n; i++) {
		p2m_tree_free_table(&d->p2m, emptied[i]);
	}
}

static int map_locked(struct p2m *p, gfn_t gfn, mfn_t mfn, unsigned int level, enum p2m_type type)
{
	const struct p2m_format *f = p->format;
	unsigned int found;
	if (p->closed) {
		return -EINVAL;
	}
	/* Asked first, so that a refused call does not split the larger leaf that it met. */
	if (p2m_tree_get(p, gfn, &found) != 0 && found > level) {
		return -EEXIST;
	}
	uint64_t *slot = p2m_tree_slot(p, gfn, level);
	if (slot == NULL) {
		return gfn.v >> 9 * f->levels != 0 ? -EINVAL : -ENOMEM;
	}
	/* A table is never empty: it is freed with its last entry. */
	if (*slot != 0) {
		return -EEXIST;
	}
	store_release(slot, f->leaf(mfn, level, type_access[type], p2m_type_cache(type), type));
	p->leaves[level - 1] += p2m_fmt_present(f, *slot);
	p->max_gfn = MAX(p->max_gfn, gfn.v + BIT(9 * (level - 1)) - 1);
	return 0;
}

int p2m_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	struct p2m *p = &d->p2m;
	if ((order != 0 && order != 9 && order != 18) || (gfn.v & MASK(order)) != 0 ||
	    (mfn.v & MASK(order)) != 0 || type >= P2M_TYPES || (order != 0 && type_holds_ref(type))) {
		return -EINVAL;
	}
	spin_lock(&p->lock);
	int rc = map_locked(p, gfn, mfn, order / 9 + 1, type);
	if (rc == -ENOMEM) {
		prune_locked(d, gfn);
	}
	spin_unlock(&p->lock);
	return rc;
}

int p2m_unmap(struct domain *d, gfn_t gfn, struct p2m_entry *old)
{
	struct p2m *p = &d->p2m;
	int rc = 0;
	spin_lock(&p->lock);
	*old = lookup_locked(p, gfn);
	if (old->type == P2M_HOLE) {
		rc = -ENOENT;
	} else {
		uint64_t *slot = p2m_tree_slot(p, gfn, 1);
		if (slot == NULL) {
			rc = -ENOMEM;
		} else {
			p->leaves[0] -= p2m_fmt_present(p->format, *slot);
			store_release(slot, 0ull);
			prune_locked(d, gfn);
		}
	}
	spin_unlock(&p->lock);
	return rc;
}

int p2m_set_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to)
{
	struct p2m *p = &d->p2m;
	bool ok = (from == P2M_RAM || from == P2M_RAM_RO) && (to == P2M_RAM || to == P2M_RAM_RO);
	int rc = -EINVAL;
	spin_lock(&p->lock);
	struct p2m_entry e = lookup_locked(p, gfn);
	if (ok && e.type == from) {
		uint64_t *slot = p2m_tree_slot(p, gfn, 1);
		rc = slot == NULL ? -ENOMEM : 0;
		if (rc == 0) {
			store_release(slot, p->format->leaf(e.mfn, 1, type_access[to], p2m_type_cache(to), to));
			retire(d);
		}
	}
	spin_unlock(&p->lock);
	return rc;
}

static int get_page(struct domain *d, gfn_t gfn, bool write, bool foreign_ok, struct page **page)
{
	struct p2m *p = &d->p2m;
	int rc = -EINVAL;
	spin_lock(&p->lock);
	struct p2m_entry e = lookup_locked(p, gfn);
	struct page *pg = mfn_valid(e.mfn) ? mfn_page(e.mfn) : NULL;
	bool own = e.type == P2M_RAM || e.type == P2M_RAM_RO;
	bool other = type_holds_ref(e.type) || e.type == P2M_SPECIAL;
	if (pg != NULL && (own || (other && foreign_ok))) {
		if (write && !(type_access[e.type] & P2M_ACC_W)) {
			rc = -EPERM;
		} else if (own ? page_get_owned(pg, d) : page_get(pg)) {
			*page = pg;
			rc = 0;
		}
	}
	spin_unlock(&p->lock);
	return rc;
}

int p2m_get_page(struct domain *d, gfn_t gfn, bool write, struct page **page)
{
	return get_page(d, gfn, write, true, page);
}

int p2m_get_own_page(struct domain *d, gfn_t gfn, bool write, struct page **page)
{
	return get_page(d, gfn, write, false, page);
}

/* Where the bytes are, when entry e at `level` decides over them. */
static inline void *bytes_at(const struct p2m *p, uint64_t e, unsigned int level, gpa_t gpa, unsigned int size, bool write)
{
	unsigned int type = p2m_fmt_type(p->format, e);
	if (!p2m_fmt_present(p->format, e) || type == P2M_MMIO_DIRECT || gpa_offset(gpa) + size > PAGE_SIZE ||
	    (write && !(type_access[type] & P2M_ACC_W))) {
		return NULL;
	}
	return hpa_virt(hpa_add(mfn_to_hpa(p2m_fmt_mfn(e)), gpa.v & MASK(PAGE_SHIFT + 9 * (level - 1))));
}

/* The long way, out of line so that the short one needs no stack. */
static __attribute__((noinline)) void *bytes_far(struct p2m *p, gpa_t gpa, unsigned int size, bool write)
{
	unsigned int level;
	uint64_t e = p2m_tree_find(p, gpa_to_gfn(gpa), &level);
	return bytes_at(p, e, level, gpa, size, write);
}

static inline void *bytes(struct p2m *p, gpa_t gpa, unsigned int size, bool write)
{
	const struct p2m_near *n = p2m_tree_near(p, gpa_to_gfn(gpa));
	if (n == NULL) {
		return bytes_far(p, gpa, size, write);
	}
	return bytes_at(p, p2m_near_entry(n, gpa_to_gfn(gpa)), n->level, gpa, size, write);
}

/* Where the bytes are, if they lie in one page of memory that may be accessed so. The caller holds the lock. */
void *p2m_bytes_locked(struct domain *d, gpa_t gpa, unsigned int size, bool write)
{
	return bytes(&d->p2m, gpa, size, write);
}

void p2m_lock(struct domain *d)
{
	spin_lock(&d->p2m.lock);
}

void p2m_unlock(struct domain *d)
{
	spin_unlock(&d->p2m.lock);
}

bool p2m_read_locked(struct domain *d, gpa_t gpa, void *buf, unsigned int size)
{
	const void *p = bytes(&d->p2m, gpa, size, false);
	if (p == NULL) {
		return false;
	}
	/* entries of page tables, nearly always: without a call */
	if (size == 8) {
		memcpy(buf, p, 8);
	} else if (size == 4) {
		memcpy(buf, p, 4);
	} else {
		memcpy(buf, p, size);
	}
	return true;
}

bool p2m_write_locked(struct domain *d, gpa_t gpa, const void *buf, unsigned int size)
{
	void *p = p2m_bytes_locked(d, gpa, size, true);
	if (p == NULL) {
		return false;
	}
	memcpy(p, buf, size);
	return true;
}

void p2m_set_bits_locked(struct domain *d, gpa_t gpa, uint64_t old, uint64_t bits, unsigned int size)
{
	void *p = p2m_bytes_locked(d, gpa, size, true);
	uint64_t expected64 = old;
	uint32_t expected32 = (uint32_t)old;
	if (p != NULL && size == 8) {
		(void)atomic_cas((uint64_t *)p, &expected64, old | bits);
	} else if (p != NULL) {
		(void)atomic_cas((uint32_t *)p, &expected32, (uint32_t)(old | bits));
	}
}

bool p2m_read(struct domain *d, gpa_t gpa, void *buf, unsigned int size)
{
	p2m_lock(d);
	bool ok = p2m_read_locked(d, gpa, buf, size);
	p2m_unlock(d);
	return ok;
}

static void drop_entry(void *arg, uint64_t entry, unsigned int level)
{
	const struct p2m *p = arg;
	if (type_holds_ref(p2m_fmt_type(p->format, entry)) && level == 1) {
		page_put(mfn_page(p2m_fmt_mfn(entry)));
	}
}

int p2m_teardown(struct domain *d, unsigned int budget)
{
	struct p2m *p = &d->p2m;
	if (p->root.v == 0) {
		return 0;
	}
	spin_lock(&p->lock);
	p->closed = true;
	bool done = p2m_tree_drain(p, budget, drop_entry, p);
	retire(d);
	spin_unlock(&p->lock);
	return done ? 0 : -ERESTART;
}
