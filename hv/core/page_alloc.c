/*
 * Host frames: allocation, ownership, references (contract in page_alloc.h).
 *
 * Lock: LOCK_PAGES around the buddy lists only; scrubbing happens outside of it. References are atomic.
 */
#include "core/buddy.h"
#include "core/counters.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/spinlock.h"
#include "arch/layout.h"
#include "lib/atomic.h"
#include "lib/mem.h"

static struct buddy buddy;                      /* [lock] */
static struct spinlock lock = SPINLOCK_INIT(LOCK_PAGES);
static uint64_t total;                          /* const after start-up */
static uint64_t fail_countdown;                 /* [lock] fault injection */

void page_init(struct page *array, uint64_t frames, const struct rangeset *ram)
{
	uint64_t next = 0;

	buddy_init(&buddy, array, frames);
	for (unsigned int i = 0; i <= ram->count; i++) {
		uint64_t first = i < ram->count ? ram->range[i].first >> PAGE_SHIFT : frames;

		for (; next < MIN(first, frames); next++) {
			array[next].flags = PAGE_F_HOLE;
		}
		if (i < ram->count) {
			next = (ram->range[i].last + 1) >> PAGE_SHIFT;
			total += MIN(next, frames) - MIN(first, frames);
		}
	}
}

uint64_t page_array_bytes(uint64_t frames)
{
	return frames * sizeof(struct page);
}

void page_add_free(mfn_t mfn, uint64_t n)
{
	uint64_t frame = mfn.v, end = mfn.v + n;

	BUG_ON(end > buddy.count || end < frame);
	while (frame < end) {
		unsigned int order = 0;
		uint64_t flags;

		while (order < PAGE_ORDER_MAX && !(frame & MASK(order + 1)) && frame + BIT(order + 1) <= end) {
			order++;
		}
		flags = spin_lock_irqsave(&lock);
		BUG_ON(buddy.page[frame].state != PAGE_RESERVED || buddy.page[frame].flags & PAGE_F_HOLE);
		buddy_free(&buddy, frame, order, true);
		spin_unlock_irqrestore(&lock, flags);
		frame += BIT(order);
	}
}

/* Take a block and scrub it when it is dirty. */
static struct page *take(unsigned int order)
{
	uint64_t flags = spin_lock_irqsave(&lock), frame = BUDDY_NONE;
	bool dirty = false;

	if (!fail_countdown || --fail_countdown) {
		frame = buddy_alloc(&buddy, order, &dirty);
	}
	spin_unlock_irqrestore(&lock, flags);
	if (frame == BUDDY_NONE) {
		return NULL;
	}
	if (dirty) {
		counter_add(COUNTER_SCRUB, BIT(order));
		memset(mfn_virt(MFN(frame)), 0, PAGE_SIZE << order);
	}
	return &buddy.page[frame];
}

struct page *page_alloc(unsigned int order)
{
	return take(order);
}

void page_free(struct page *p, unsigned int order)
{
	uint64_t flags;

	BUG_ON(p->state != PAGE_HV || p->owner || p->order != order);
	memset(page_virt(p), 0, PAGE_SIZE << order);
	flags = spin_lock_irqsave(&lock);
	buddy_free(&buddy, page_mfn(p).v, order, false);
	spin_unlock_irqrestore(&lock, flags);
}

void *page_alloc_virt(void)
{
	struct page *p = page_alloc(0);

	return p ? page_virt(p) : NULL;
}

void page_free_virt(void *v)
{
	if (v) {
		page_free(mfn_page(hpa_to_mfn(virt_hpa(v))), 0);
	}
}

static void give(struct page *p, struct domain *d)
{
	p->owner = d;
	p->order = 0;
	p->flags = 0;
	p->state = PAGE_OWNED;
	list_init(&p->link);
	store_release(&p->refs, 1);
}

struct page *page_alloc_owned(struct domain *d, unsigned int order)
{
	struct page *p = take(order);

	for (uint64_t i = 0; p && i < BIT(order); i++) {
		give(p + i, d);
	}
	return p;
}

void page_assign(struct domain *d, mfn_t mfn, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct page *p = mfn_page(mfn_add(mfn, i));

		BUG_ON(!p || p->state != PAGE_RESERVED);
		give(p, d);
	}
}

bool page_get(struct page *p)
{
	uint32_t refs = READ_ONCE(p->refs);

	do {
		if (refs == 0) {
			return false;
		}
		BUG_ON(refs == UINT32_MAX);
	} while (!atomic_cas(&p->refs, &refs, refs + 1));
	return true;
}

bool page_get_owned(struct page *p, const struct domain *d)
{
	if (!page_get(p)) {
		return false;
	}
	/* The reference keeps the owner from changing. */
	if (p->owner == d) {
		return true;
	}
	page_put(p);
	return false;
}

void page_put(struct page *p)
{
	uint32_t old = atomic_sub(&p->refs, 1);
	struct domain *owner = p->owner;
	bool charged = p->flags & PAGE_F_CHARGED;
	uint64_t flags;

	BUG_ON(old == 0 || p->state != PAGE_OWNED);
	if (old > 1) {
		return;
	}
	BUG_ON(p->flags & PAGE_F_LISTED);
	memset(page_virt(p), 0, PAGE_SIZE);
	p->owner = NULL;
	p->state = PAGE_HV;
	flags = spin_lock_irqsave(&lock);
	buddy_free(&buddy, page_mfn(p).v, 0, false);
	spin_unlock_irqrestore(&lock, flags);
	/* Last: the frame may have been the domain's last tie to life. */
	page_owner_gone(owner, charged);
}

mfn_t page_mfn(const struct page *p)
{
	return MFN((uint64_t)(p - buddy.page));
}

struct page *mfn_page(mfn_t m)
{
	return m.v < buddy.count && !(buddy.page[m.v].flags & PAGE_F_HOLE) ? &buddy.page[m.v] : NULL;
}

void *page_virt(const struct page *p)
{
	return mfn_virt(page_mfn(p));
}

hpa_t virt_hpa(const void *p)
{
	uint64_t v = (uint64_t)p;

	return HPA(v >= IMAGE_VIRT ? v - IMAGE_VIRT : v - DIRECT_VIRT);
}

uint64_t page_total(void)
{
	return total;
}

uint64_t page_count_free(void)
{
	return READ_ONCE(buddy.free);
}

void page_fail_nth(uint64_t n)
{
	uint64_t flags = spin_lock_irqsave(&lock);

	fail_countdown = n;
	spin_unlock_irqrestore(&lock, flags);
}
