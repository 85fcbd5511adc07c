/*
 * The guest-physical map for host tests: a list of entries. See fake_hv.h.
 *
 * What the real one cannot do with a lock held (it waits for other CPUs) fails here; before each change a test can let
 * another CPU do something.
 */
#include <stddef.h>
#include "fake/fake_hv.h"
#include "fake/fake_hv_int.h"
#include "arch/virt.h"
#include "dom/domain.h"
#include "dom/populate.h"

static struct { struct p2m *p; uint64_t gfn; struct p2m_entry e; } map[FAKE_FRAMES * 2];
static unsigned int map_count;
static const struct p2m_format format = { .levels = 4, .has_1g = false };
static const struct virt_ops fake_virt = { .name = "fake", .p2m = &format };
const struct virt_ops *virt = &fake_virt;

int p2m_init(struct p2m *p, const struct p2m_format *f)
{
	*p = (struct p2m){ .format = f };
	spin_init(&p->lock, LOCK_P2M);
	return 0;
}

void p2m_free(struct p2m *p)
{
	for (unsigned int i = 0; i < map_count; i++) {
		require(map[i].p != p);
	}
}

static int map_find(struct domain *d, gfn_t gfn)
{
	for (unsigned int i = 0; i < map_count; i++) {
		if (map[i].p == &d->p2m && map[i].gfn == gfn.v) {
			return (int)i;
		}
	}
	return -1;
}

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn)
{
	int i;

	spin_lock(&d->p2m.lock);
	i = map_find(d, gfn);
	spin_unlock(&d->p2m.lock);
	return i < 0 ? (struct p2m_entry){ MFN_INVALID, P2M_HOLE, 0 } : map[i].e;
}

void p2m_set_limit(struct domain *d, uint64_t pages) { }
void (*fake_map_hook)(gfn_t gfn);

static void race(gfn_t gfn)
{
	fake_no_locks(); /* it waits for other CPUs */
	if (fake_map_hook != NULL) {
		fake_map_hook(gfn);
	}
}

int p2m_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	require(order == 0 || order == PAGE_ORDER_2M);
	race(gfn);
	if (d->p2m.closed) {
		return -EINVAL;
	}
	if (map_count + BIT(order) > ARRAY_SIZE(map) || fake_fails()) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < BIT(order); i++) {
		if (map_find(d, gfn_add(gfn, i)) >= 0) {
			return -EEXIST;
		}
	}
	for (uint64_t i = 0; i < BIT(order); i++) {
		map[map_count].p = &d->p2m;
		map[map_count].gfn = gfn.v + i;
		map[map_count++].e = (struct p2m_entry){ mfn_add(mfn, i), type, 0 };
		d->p2m.max_gfn = MAX(d->p2m.max_gfn, gfn.v + i);
	}
	return 0;
}

int p2m_unmap(struct domain *d, gfn_t gfn, struct p2m_entry *old)
{
	int i;

	race(gfn);
	i = map_find(d, gfn);
	if (i < 0) {
		return -ENOENT;
	}
	*old = map[i].e;
	map[i] = map[--map_count];
	return 0;
}

int p2m_set_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to)
{
	int i = map_find(d, gfn);

	if (i < 0 || map[i].e.type != from) {
		return -EINVAL;
	}
	map[i].e.type = to;
	return 0;
}

static int get_page(struct domain *d, gfn_t gfn, bool write, struct page **page, bool own)
{
	struct p2m_entry e = p2m_lookup(d, gfn);
	bool foreign = e.type == P2M_FOREIGN || e.type == P2M_GRANT_RW || e.type == P2M_GRANT_RO;

	if (e.type != P2M_RAM && e.type != P2M_RAM_RO && (own || !foreign)) {
		return -EINVAL;
	}
	if (write && (e.type == P2M_RAM_RO || e.type == P2M_GRANT_RO)) {
		return -EPERM;
	}
	*page = mfn_page(e.mfn);
	return page_get(*page) ? 0 : -EINVAL;
}

int p2m_get_page(struct domain *d, gfn_t gfn, bool write, struct page **page)
{
	return get_page(d, gfn, write, page, false);
}

int p2m_get_own_page(struct domain *d, gfn_t gfn, bool write, struct page **page)
{
	return get_page(d, gfn, write, page, true);
}

int p2m_teardown(struct domain *d, unsigned int budget)
{
	require(d->dying);
	d->p2m.closed = true;
	for (unsigned int i = 0; i < map_count;) {
		struct p2m_entry e = map[i].e;
		if (map[i].p != &d->p2m) {
			i++;
			continue;
		}
		if (budget-- == 0) {
			return -ERESTART;
		}
		map[i] = map[--map_count];
		if (e.type == P2M_FOREIGN || e.type == P2M_GRANT_RW || e.type == P2M_GRANT_RO) {
			page_put(mfn_page(e.mfn));
		}
	}
	return 0;
}

size_t fake_page_refs(gfn_t gfn, struct domain *d)
{
	int i = map_find(d, gfn);

	return i < 0 ? 0 : mfn_page(map[i].e.mfn)->refs;
}

void *fake_page_at(struct domain *d, gfn_t gfn)
{
	int i = map_find(d, gfn);

	require(i >= 0);
	return page_virt(mfn_page(map[i].e.mfn));
}

void fake_p2m_clear(struct domain *d)
{
	for (unsigned int i = 0; i < map_count;) {
		if (map[i].p == &d->p2m) {
			require(populate_evict(d, GFN(map[i].gfn)) == 0);
		} else {
			i++;
		}
	}
}

static bool is_ram(unsigned int i)
{
	return map[i].e.type == P2M_RAM || map[i].e.type == P2M_RAM_RO;
}

void fake_p2m_check(void)
{
	for (unsigned int i = 0; i < map_count; i++) {
		const struct page *page = mfn_page(map[i].e.mfn);

		if (map[i].e.type != P2M_MMIO_DIRECT && map[i].e.type != P2M_MMIO_DM) {
			require(page != NULL && page->state == PAGE_OWNED && page->refs > 0);
			require(!is_ram(i) || (&page->owner->p2m == map[i].p && (page->flags & PAGE_F_LISTED)));
		}
		for (unsigned int j = i + 1; is_ram(i) && j < map_count; j++) {
			require(!mfn_eq(map[i].e.mfn, map[j].e.mfn) || !is_ram(j));
		}
	}
}
