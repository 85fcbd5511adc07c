/*
 * Guest memory: see populate.h.
 *
 * Each owned frame holds one reference to its domain until it is free again, so struct domain outlives its memory even
 * when other domains still map it. It counts in tot_pages for as long, too: a guest that gives up a page which somebody
 * maps (it may do so itself, through a grant) has not got room for another one yet.
 */
#include "dom/populate.h"
#include "dom/domain.h"
#include "dom/grant.h"
#include "dom/shared_info.h"
#include "lib/atomic.h"
#include "lib/bug.h"

/* ---- accounting ---- */

/* Reserve room for n more pages, or refuse. */
static bool charge(struct domain *d, uint64_t n)
{
	bool ok;

	spin_lock(&d->page_lock);
	ok = !READ_ONCE(d->dying) && READ_ONCE(d->tot_pages) + n <= d->max_pages;
	if (ok) {
		atomic_add(&d->tot_pages, n);
	}
	spin_unlock(&d->page_lock);
	return ok;
}

void populate_uncharge(struct domain *d, uint64_t n)
{
	BUG_ON(atomic_sub(&d->tot_pages, n) < n);
}

/* Put charged pages on the list; false: the domain dies, and whoever empties the list may be through with it. */
static bool list_pages(struct domain *d, struct page *p, uint64_t n)
{
	bool ok;

	spin_lock(&d->page_lock);
	ok = !READ_ONCE(d->dying);
	for (uint64_t i = 0; ok && i < n; i++) {
		p[i].flags |= PAGE_F_LISTED | PAGE_F_CHARGED;
		list_add_tail(&d->pages, &p[i].link);
	}
	spin_unlock(&d->page_lock);
	return ok;
}

/* Drop the owner's own reference; false when it was dropped before (or never held). */
static bool disown(struct domain *d, struct page *p)
{
	bool had;

	spin_lock(&d->page_lock);
	had = p->owner == d && (p->flags & PAGE_F_LISTED);
	if (had) {
		p->flags &= ~PAGE_F_LISTED;
		list_del(&p->link);
	}
	spin_unlock(&d->page_lock);
	if (had) {
		page_put(p);
	}
	return had;
}

bool populate_release_some(struct domain *d, unsigned int n)
{
	while (n-- > 0) {
		struct page *p = NULL;
		spin_lock(&d->page_lock);
		if (!list_empty(&d->pages)) {
			p = list_entry(d->pages.next, struct page, link);
		}
		spin_unlock(&d->page_lock);
		if (p == NULL) {
			return true;
		}
		(void)disown(d, p);
	}
	return false;
}

int populate_set_max(struct domain *d, uint64_t pages)
{
	spin_lock(&d->page_lock);
	d->max_pages = pages;
	spin_unlock(&d->page_lock);
	if (!(d->flags & DOMF_PRIVILEGED)) {
		p2m_set_limit(d, pages);
	}
	return 0;
}

void populate_adopt(struct domain *d, mfn_t mfn, uint64_t n)
{
	page_assign(d, mfn, n);
	atomic_add(&d->refs, (uint32_t)n);
	atomic_add(&d->tot_pages, n);
	BUG_ON(!list_pages(d, mfn_page(mfn), n));
}

/* ---- adding and removing RAM ---- */

/* The largest leaf that may start here. */
static unsigned int leaf_order(const struct domain *d, unsigned int order)
{
	if (order >= PAGE_ORDER_1G && d->p2m.format->has_1g) {
		return PAGE_ORDER_1G;
	}
	return order >= PAGE_ORDER_2M ? PAGE_ORDER_2M : 0;
}

/*
 * Map 2^order contiguous frames that are on the list. On failure what is mapped by then is taken out again, and only
 * what comes out is freed: another vCPU or the device model may have moved a frame elsewhere meanwhile, where it stays.
 */
static int map_block(struct domain *d, gfn_t gfn, struct page *p, unsigned int order)
{
	unsigned int leaf = leaf_order(d, order);
	uint64_t step = BIT(leaf), count = BIT(order), done;
	int rc = 0;

	for (done = 0; done < count; done += step) {
		rc = p2m_map(d, gfn_add(gfn, done), mfn_add(page_mfn(p), done), leaf, P2M_RAM);
		if (rc != 0) {
			break;
		}
	}
	for (uint64_t i = 0; rc != 0 && i < count; i++) {
		if (i < done) {
			(void)!populate_evict(d, gfn_add(gfn, i));
		} else {
			(void)disown(d, &p[i]);
		}
	}
	return rc;
}

int populate_add(struct domain *d, gfn_t gfn, unsigned int order)
{
	uint64_t n = BIT(order);
	struct page *p;

	if (order > PAGE_ORDER_MAX || (gfn.v & (n - 1)) || gfn.v >= BIT(40)) {
		return -EINVAL;
	}
	if (!charge(d, n)) {
		return -ENOMEM;
	}
	p = page_alloc_owned(d, order);
	if (p == NULL) {
		populate_uncharge(d, n);
		return -ENOMEM;
	}
	atomic_add(&d->refs, (uint32_t)n);
	if (!list_pages(d, p, n)) {
		populate_uncharge(d, n);
		for (uint64_t i = 0; i < n; i++) {
			page_put(&p[i]);
		}
		return -ENOMEM;
	}
	return map_block(d, gfn, p, order);
}

static bool type_is_ram(enum p2m_type type)
{
	return type == P2M_RAM || type == P2M_RAM_RO || type == P2M_MMIO_DM;
}

bool populate_give_up(struct domain *d, const struct p2m_entry *old)
{
	struct page *p = mfn_valid(old->mfn) ? mfn_page(old->mfn) : NULL;

	if (p == NULL) {
		return false;
	}
	if (type_is_ram(old->type)) {
		return disown(d, p);
	}
	if (old->type == P2M_SPECIAL) {
		if (!shared_info_unhooked(d, old->mfn)) {
			grant_unhooked(d, old->mfn);
		}
	} else if (old->type == P2M_FOREIGN || old->type == P2M_GRANT_RW || old->type == P2M_GRANT_RO) {
		page_put(p);
	}
	return false;
}

int populate_evict(struct domain *d, gfn_t gfn)
{
	struct p2m_entry old = p2m_lookup(d, gfn);
	int rc;

	if (old.type == P2M_MMIO_DIRECT) {
		return -EPERM;
	}
	rc = p2m_unmap(d, gfn, &old);
	if (rc == 0) {
		(void)populate_give_up(d, &old);
	}
	return rc;
}

int populate_remove(struct domain *d, gfn_t gfn)
{
	struct p2m_entry old = p2m_lookup(d, gfn);

	if (!type_is_ram(old.type) || !mfn_valid(old.mfn)) {
		return -EINVAL;
	}
	if (p2m_unmap(d, gfn, &old) != 0) {
		return -EINVAL;
	}
	return populate_give_up(d, &old) ? 0 : -EINVAL;
}

int populate_show(struct domain *d, gfn_t gfn, struct page *page, enum p2m_type type)
{
	bool holds = type == P2M_FOREIGN || type == P2M_GRANT_RW || type == P2M_GRANT_RO;
	int rc = populate_evict(d, gfn);

	if (rc == 0 || rc == -ENOENT) {
		rc = READ_ONCE(d->dying) ? -EINVAL : p2m_map(d, gfn, page_mfn(page), 0, type);
	}
	if (rc != 0 && holds) {
		page_put(page);
	}
	return rc;
}

int populate_move(struct domain *d, gfn_t src, gfn_t dst)
{
	struct p2m_entry old = p2m_lookup(d, src), back;
	int rc;

	if (old.type != P2M_RAM || !mfn_valid(old.mfn)) {
		return -EINVAL;
	}
	if (gfn_eq(src, dst)) {
		return 0;
	}
	rc = populate_evict(d, dst);
	if (rc != 0 && rc != -ENOENT) {
		return rc;
	}
	/* Taking it out first makes this call the only one that can put the frame anywhere. */
	if (p2m_unmap(d, src, &old) != 0) {
		return -EINVAL;
	}
	if (!type_is_ram(old.type)) {
		(void)populate_give_up(d, &old);
		return -EINVAL;
	}
	rc = p2m_map(d, dst, old.mfn, 0, P2M_RAM);
	if (rc != 0) {
		back = old;
		if (p2m_map(d, src, old.mfn, 0, P2M_RAM) != 0) {
			(void)populate_give_up(d, &back);
		}
	}
	return rc;
}

int populate_move_range(struct domain *d, gfn_t src, gfn_t dst, uint64_t n, uint64_t *done)
{
	bool down = dst.v > src.v;
	int rc = 0;

	for (*done = 0; *done < n && rc == 0; ++*done) {
		uint64_t i = down ? n - 1 - *done : *done;
		rc = populate_move(d, gfn_add(src, i), gfn_add(dst, i));
		if ((*done & 63) == 63) {
			sched_check();
		}
	}
	return rc;
}
