/*
 * shared_info, vcpu_info and vcpu_time_info: see shared_info.h.
 *
 * The guest writes to all of these pages at any time. We never use what is in them but single bits (pending, mask,
 * selector, upcall), which only ever decide about that guest's own wake-ups.
 */
#include "dom/shared_info.h"
#include "lib/mem.h"
#include "lib/pvscale.h"
#include "lib/tscratio.h"
#include "core/heap.h"
#include "core/page_alloc.h"
#include "core/time.h"
#include "dom/domain.h"
#include "dom/guest_copy.h"

struct shared_page {
	struct spinlock lock;           /* LOCK_SHINFO */
	struct page *page;              /* [lock] NULL after release */
	gfn_t gfn;                      /* [lock] where the guest sees it */
	bool narrow;                    /* [lock; read without] 32-bit layout */
};

/* The 32-bit layouts; the 64-bit ones are those of the ABI header. */
struct shared_info_32 {
	uint8_t vcpu_info[XEN_LEGACY_MAX_VCPUS][64];
	uint32_t pending[32];
	uint32_t mask[32];
	uint32_t wc_version, wc_sec, wc_nsec;
	uint32_t arch[6];
	uint32_t wc_sec_hi;
};

struct vcpu_info_32 {
	uint8_t upcall_pending, upcall_mask;
	uint16_t pad;
	uint32_t pending_sel;
	uint32_t arch[6];
	struct vcpu_time_info time;
};

_Static_assert(sizeof(struct vcpu_info) == 64 && sizeof(struct vcpu_info_32) == 64, "vcpu_info is 64 bytes");
_Static_assert(offsetof(struct vcpu_info, time) == offsetof(struct vcpu_info_32, time), "time is at one place");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == 0x800, "pending bits");
_Static_assert(offsetof(struct shared_info_32, pending) == 0x800, "pending bits of a 32-bit guest");
_Static_assert(offsetof(struct shared_info_32, wc_sec_hi) == 0x924, "wall clock of a 32-bit guest");

static struct shared_info *page_wide(const struct shared_page *s)
{
	return page_virt(s->page);
}

static struct shared_info_32 *page_narrow(const struct shared_page *s)
{
	return page_virt(s->page);
}

/* ---- life ---- */

int shared_info_init(struct domain *d)
{
	struct shared_page *s = heap_new(struct shared_page);

	if (s == NULL) {
		return -ENOMEM;
	}
	spin_init(&s->lock, LOCK_SHINFO);
	s->gfn = GFN_INVALID;
	s->page = page_alloc_owned(d, 0);
	if (s->page == NULL) {
		heap_free(s);
		return -ENOMEM;
	}
	domain_ref(d);
	s->page->flags |= PAGE_F_SPECIAL;
	d->shared = s;
	shared_info_wallclock_update(d);
	return 0;
}

void shared_info_release(struct domain *d)
{
	struct shared_page *s = d->shared;
	struct page *page;

	if (s == NULL) {
		return;
	}
	spin_lock(&s->lock);
	page = s->page;
	s->page = NULL;
	s->gfn = GFN_INVALID;
	spin_unlock(&s->lock);
	if (page != NULL) {
		page_put(page);
	}
}

void shared_info_free(struct domain *d)
{
	heap_free(d->shared);
	d->shared = NULL;
}

void shared_info_vcpu_init(struct vcpu *v)
{
	struct shared_page *s = v->domain->shared;

	spin_lock(&s->lock);
	if (v->id < XEN_LEGACY_MAX_VCPUS && s->page != NULL) {
		v->info = &page_wide(s)->vcpu_info[v->id];
	}
	spin_unlock(&s->lock);
	shared_info_time_update(v);
}

void shared_info_vcpu_release(struct vcpu *v)
{
	struct shared_page *s = v->domain->shared;
	struct page *page;

	spin_lock(&s->lock);
	page = v->info_page;
	v->info = NULL;
	v->info_page = NULL;
	spin_unlock(&s->lock);
	if (page != NULL) {
		page_put(page);
	}
}

/* ---- where the guest sees it ---- */

int shared_info_map(struct domain *d, gfn_t gfn)
{
	struct shared_page *s = d->shared;
	struct p2m_entry old;
	mfn_t mfn = shared_info_mfn(d);
	gfn_t from;
	int rc;

	if (!mfn_valid(mfn)) {
		return -EINVAL;
	}
	rc = p2m_map(d, gfn, mfn, 0, P2M_SPECIAL);
	if (rc != 0) {
		return rc;
	}
	spin_lock(&s->lock);
	from = s->gfn;
	s->gfn = gfn;
	spin_unlock(&s->lock);
	if (gfn_valid(from) && mfn_eq(p2m_lookup(d, from).mfn, mfn)) {
		/* A race with the guest's own other calls can only leave a second window on the page, or none. */
		(void)!p2m_unmap(d, from, &old);
	}
	return 0;
}

bool shared_info_unhooked(struct domain *d, mfn_t mfn)
{
	struct shared_page *s = d->shared;
	bool mine;

	spin_lock(&s->lock);
	mine = s->page != NULL && mfn_eq(page_mfn(s->page), mfn);
	if (mine) {
		s->gfn = GFN_INVALID;
	}
	spin_unlock(&s->lock);
	return mine;
}

gfn_t shared_info_gfn(struct domain *d)
{
	return GFN(READ_ONCE(d->shared->gfn.v));
}

mfn_t shared_info_mfn(struct domain *d)
{
	struct shared_page *s = d->shared;
	mfn_t mfn;

	spin_lock(&s->lock);
	mfn = s->page != NULL ? page_mfn(s->page) : MFN_INVALID;
	spin_unlock(&s->lock);
	return mfn;
}

void shared_info_set_width(struct domain *d, bool wide)
{
	struct shared_page *s = d->shared;
	bool changed;

	spin_lock(&s->lock);
	changed = s->narrow == wide;
	s->narrow = !wide;
	spin_unlock(&s->lock);
	if (changed) {
		shared_info_wallclock_update(d);
	}
}

bool shared_info_wide(const struct domain *d)
{
	return !READ_ONCE(d->shared->narrow);
}

/* Set every selector bit and the upcall byte. True: the byte was clear. */
static bool mark_all(struct vcpu *v, bool narrow)
{
	struct vcpu_info *w = v->info;
	struct vcpu_info_32 *n = v->info;

	if (narrow) {
		WRITE_ONCE(n->pending_sel, ~0u);
	} else {
		WRITE_ONCE(w->evtchn_pending_sel, ~0ul);
	}
	return atomic_xchg(&w->evtchn_upcall_pending, 1) == 0;
}

int shared_info_register_vcpu(struct vcpu *v, gfn_t gfn, uint32_t offset)
{
	struct domain *d = v->domain;
	struct shared_page *s = d->shared;
	struct page *page;
	bool again;
	int rc;

	if (offset > PAGE_SIZE - sizeof(struct vcpu_info) || (offset & 7)) {
		return -ENXIO;
	}
	rc = p2m_get_own_page(d, gfn, true, &page);
	if (rc != 0) {
		return -EINVAL;
	}
	spin_lock(&s->lock);
	again = v->info_registered || s->page == NULL;
	if (!again) {
		void *info = (char *)page_virt(page) + offset;
		if (v->info != NULL) {
			memcpy(info, v->info, sizeof(struct vcpu_info));
		} else {
			memset(info, 0, sizeof(struct vcpu_info));
		}
		v->info = info;
		v->info_page = page;
		v->info_registered = true;
		/* Which events came before is not known any more: let the guest look at all of them. */
		(void)mark_all(v, s->narrow);
	}
	spin_unlock(&s->lock);
	if (again) {
		page_put(page);
		return -EINVAL;
	}
	shared_info_time_update(v);
	domain_ops->upcall(v);
	return 0;
}

/* ---- event bits ---- */

unsigned int shared_info_ports(const struct domain *d)
{
	return shared_info_wide(d) ? 4096 : 1024;
}

/* The words that hold a port's bits. A 32-bit guest's words are half as wide; being little-endian, its array read as
 * 64-bit words has every port's bit at the same place. Only the selector differs. */
static uint64_t *pending_map(const struct shared_page *s)
{
	return (uint64_t *)page_wide(s)->evtchn_pending;
}

static uint64_t *mask_map(const struct shared_page *s)
{
	return s->narrow ? (uint64_t *)page_narrow(s)->mask : (uint64_t *)page_wide(s)->evtchn_mask;
}

/* Set the port's selector bit and the upcall byte; true: the byte went 0 -> 1. */
static bool select_port(struct vcpu *v, const struct shared_page *s, unsigned int port)
{
	struct vcpu_info *w = v->info;
	struct vcpu_info_32 *n = v->info;
	bool was;

	if (v->info == NULL) {
		return false; /* not registered yet: registration marks everything */
	}
	if (s->narrow) {
		uint32_t bit = 1u << (port / 32);
		was = atomic_or(&n->pending_sel, bit) & bit;
	} else {
		uint64_t bit = 1ull << (port / 64);
		was = atomic_or(&w->evtchn_pending_sel, bit) & bit;
	}
	return !was && atomic_xchg(&w->evtchn_upcall_pending, 1) == 0;
}

bool shared_info_set_pending(struct vcpu *v, unsigned int port, bool *was)
{
	struct shared_page *s = v->domain->shared;
	bool signal = false;

	*was = true;
	spin_lock(&s->lock);
	if (s->page != NULL && port < shared_info_ports(v->domain)) {
		*was = atomic_set_bit(pending_map(s), port);
		if (!*was && !test_bit(mask_map(s), port)) {
			signal = select_port(v, s, port);
		}
	}
	spin_unlock(&s->lock);
	return signal;
}

bool shared_info_unmask(struct vcpu *v, unsigned int port)
{
	struct shared_page *s = v->domain->shared;
	bool signal = false;

	spin_lock(&s->lock);
	if (s->page != NULL && port < shared_info_ports(v->domain)) {
		if (atomic_clear_bit(mask_map(s), port) && test_bit(pending_map(s), port)) {
			signal = select_port(v, s, port);
		}
	}
	spin_unlock(&s->lock);
	return signal;
}

static bool read_bit(struct domain *d, unsigned int port, uint64_t *(*map)(const struct shared_page *))
{
	struct shared_page *s = d->shared;
	bool set = false;

	spin_lock(&s->lock);
	if (s->page != NULL && port < shared_info_ports(d)) {
		set = test_bit(map(s), port);
	}
	spin_unlock(&s->lock);
	return set;
}

bool shared_info_is_pending(struct domain *d, unsigned int port)
{
	return read_bit(d, port, pending_map);
}

bool shared_info_is_masked(struct domain *d, unsigned int port)
{
	return read_bit(d, port, mask_map);
}

void shared_info_clear_pending(struct domain *d, unsigned int port)
{
	struct shared_page *s = d->shared;

	spin_lock(&s->lock);
	if (s->page != NULL && port < shared_info_ports(d)) {
		(void)atomic_clear_bit(pending_map(s), port);
	}
	spin_unlock(&s->lock);
}

bool shared_info_upcall_pending(struct vcpu *v)
{
	struct shared_page *s = v->domain->shared;
	bool pending = false;

	spin_lock(&s->lock);
	if (v->info != NULL) {
		struct vcpu_info *w = v->info;
		pending = READ_ONCE(w->evtchn_upcall_pending) != 0;
	}
	spin_unlock(&s->lock);
	return pending;
}

/* ---- time ---- */

void shared_info_tsc_scale(const struct domain *d, struct pvscale *s)
{
	if (d->tsc_khz != 0) {
		*s = pvscale_make(d->tsc_khz * 1000ull, 1000000000);
	} else {
		time_pv_scale(&s->mul, &s->shift);
	}
}

/*
 * The domain's clock is one straight line through (creation time, TSC at creation), the same for all vCPUs and never
 * moved: so it can neither jump nor differ between vCPUs whose TSCs agree.
 */
static void time_compute(struct vcpu *v, struct vcpu_time_info *t)
{
	struct domain *d = v->domain;
	const struct vcpu *first = d->vcpu[0];
	struct pvscale scale;

	memset(t, 0, sizeof(*t));
	shared_info_tsc_scale(d, &scale);
	t->system_time = d->created_ns;
	t->tsc_timestamp = tscratio_apply(v->arch.tsc_ratio, time_to_tsc(d->created_ns)) + (uint64_t)v->arch.tsc_offset;
	t->tsc_to_system_mul = scale.mul;
	t->tsc_shift = scale.shift;
	if (first != NULL && first->arch.tsc_offset == v->arch.tsc_offset) {
		t->flags = XEN_PVCLOCK_TSC_STABLE_BIT;
	}
}

void shared_info_time_update(struct vcpu *v)
{
	struct shared_page *s = v->domain->shared;
	struct vcpu_time_info t;

	time_compute(v, &t);
	spin_lock(&s->lock);
	if (v->info != NULL) {
		struct vcpu_time_info *g = &((struct vcpu_info *)v->info)->time;
		uint32_t version = READ_ONCE(g->version) & ~1u;
		WRITE_ONCE(g->version, version + 1);
		fence_release();
		WRITE_ONCE(g->tsc_timestamp, t.tsc_timestamp);
		WRITE_ONCE(g->system_time, t.system_time);
		WRITE_ONCE(g->tsc_to_system_mul, t.tsc_to_system_mul);
		WRITE_ONCE(g->tsc_shift, t.tsc_shift);
		WRITE_ONCE(g->flags, t.flags);
		fence_release();
		WRITE_ONCE(g->version, version + 2);
	}
	spin_unlock(&s->lock);
	if (v->time_addr != 0) {
		vcpu_areas_changed(v, VCPU_AREA_TIME);
	}
}

void shared_info_time_copy(struct vcpu *v)
{
	struct vcpu_time_info t;
	uint32_t version = 0;

	time_compute(v, &t);
	if (guest_copy_from(v, &version, v->time_addr, sizeof(version)) != 0) {
		return;
	}
	t.version = (version & ~1u) + 1;
	if (guest_copy_to(v, v->time_addr, &t.version, sizeof(t.version)) != 0) {
		return;
	}
	fence_release();
	if (guest_copy_to(v, v->time_addr, &t, sizeof(t)) != 0) {
		return;
	}
	fence_release();
	t.version++;
	if (guest_copy_to(v, v->time_addr, &t.version, sizeof(t.version)) != 0) {
		return;
	}
}

void shared_info_wallclock_update(struct domain *d)
{
	struct shared_page *s = d->shared;
	uint64_t sec;
	uint32_t nsec;

	time_wallclock(&sec, &nsec);
	sec += (uint64_t)(int64_t)READ_ONCE(d->time_offset);
	spin_lock(&s->lock);
	if (s->page != NULL) {
		struct shared_info *w = page_wide(s);
		struct shared_info_32 *n = page_narrow(s);
		uint32_t *version = s->narrow ? &n->wc_version : &w->wc_version;
		uint32_t *wc = version + 1;
		uint32_t *hi = s->narrow ? &n->wc_sec_hi : &w->wc_sec_hi;
		uint32_t old = READ_ONCE(*version) & ~1u;

		WRITE_ONCE(*version, old + 1);
		fence_release();
		WRITE_ONCE(wc[0], (uint32_t)sec);
		WRITE_ONCE(wc[1], nsec);
		WRITE_ONCE(*hi, (uint32_t)(sec >> 32));
		fence_release();
		WRITE_ONCE(*version, old + 2);
	}
	spin_unlock(&s->lock);
}
