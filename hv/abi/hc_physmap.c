/*
 * memory_op: add_to_physmap and its batch form, remove_from_physmap, acquire_resource.
 *
 * A foreign frame that cannot be mapped is -EINVAL, never -ENOENT: the client library would take that for "paged out"
 * and try for ever.
 */
#include "abi/args.h"
#include "abi/compat.h"
#include "abi/hc_physmap.h"
#include "dom/grant.h"
#include "dom/ioreq_server.h"
#include "dom/populate.h"
#include "dom/shared_info.h"
#include "hvm/hvm.h"
#include <xen/memory.h>

#define PREEMPT_ITEMS 32
#define GFN_LIMIT     BIT(40)           /* 52 bits of guest-physical address */

/* ---- one item: (space, idx) of d at gfn ---- */

static int add_shared_info(struct domain *d, uint64_t idx, gfn_t gfn)
{
	int rc;

	if (idx != 0) {
		return -EINVAL;
	}
	rc = populate_evict(d, gfn);
	if (rc != 0 && rc != -ENOENT) {
		return rc;
	}
	return shared_info_map(d, gfn);
}

static int add_grant_table(struct domain *d, uint64_t idx, gfn_t gfn)
{
	/* Status frames belong to version 2 tables. */
	if (idx >= XENMAPIDX_grant_table_status) {
		return -EINVAL;
	}
	return grant_map_frame(d, (uint32_t)idx, gfn);
}

static int add_gmfn(struct domain *d, uint64_t idx, gfn_t gfn)
{
	if (idx >= GFN_LIMIT) {
		return -EINVAL;
	}
	return populate_move(d, GFN(idx), gfn);
}

static int add_one(struct domain *d, uint32_t space, uint64_t idx, gfn_t gfn)
{
	static int (*const fn[])(struct domain *d, uint64_t idx, gfn_t gfn) = {
		[XENMAPSPACE_shared_info] = add_shared_info,
		[XENMAPSPACE_grant_table] = add_grant_table,
		[XENMAPSPACE_gmfn] = add_gmfn,
	};

	if (gfn.v >= GFN_LIMIT) {
		return -EINVAL;
	}
	return space < ARRAY_SIZE(fn) ? fn[space](d, idx, gfn) : -ENOSYS;
}

/* Show foreign's frame idx at gfn of d. */
static int add_foreign(struct domain *d, struct domain *foreign, uint64_t idx, gfn_t gfn)
{
	struct page *page;
	int rc;

	if (gfn.v >= GFN_LIMIT || idx >= GFN_LIMIT) {
		return -EINVAL;
	}
	rc = p2m_get_own_page(foreign, GFN(idx), false, &page);
	if (rc == 0) {
		rc = populate_show(d, gfn, page, P2M_FOREIGN);
	}
	return rc == -ENOENT ? -EINVAL : rc;
}

/* ---- add_to_physmap ---- */

struct add { domid_t domid; uint16_t size; uint32_t space; uint64_t idx, gpfn; };

static int get_add(struct hc_call *c, struct add *a)
{
	struct compat_add_to_physmap narrow;
	struct xen_add_to_physmap wide;

	if (c->compat) {
		if (hc_get(c, c->arg[1], &narrow) != 0) {
			return -EFAULT;
		}
		*a = (struct add){ narrow.domid, narrow.size, narrow.space, narrow.idx, narrow.gpfn };
		return 0;
	}
	if (hc_get(c, c->arg[1], &wide) != 0) {
		return -EFAULT;
	}
	*a = (struct add){ wide.domid, wide.size, wide.space, wide.idx, wide.gpfn };
	return 0;
}

static int add_range(struct domain *d, const struct add *a)
{
	uint64_t done;

	if (a->idx >= GFN_LIMIT - a->size || a->gpfn >= GFN_LIMIT - a->size) {
		return -EINVAL;
	}
	return populate_move_range(d, GFN(a->idx), GFN(a->gpfn), a->size, &done);
}

int64_t hc_physmap_add(struct hc_call *c)
{
	struct domain *d;
	struct add a;
	int rc = get_add(c, &a);

	if (rc != 0) {
		return rc;
	}
	if (a.space == XENMAPSPACE_gmfn_foreign) {
		return -ENOSYS; /* only in the batch form, which names the other domain */
	}
	rc = access_target(c, a.domid, &d);
	if (rc != 0) {
		return rc;
	}
	if (a.space == XENMAPSPACE_gmfn_range) {
		rc = add_range(d, &a);
	} else {
		rc = add_one(d, a.space, a.idx, GFN(a.gpfn));
	}
	/* Whatever it was, RAM may have gone from where a device model had it mapped. */
	hvm_mapcache_invalidate(d);
	domain_put(d);
	return rc;
}

/* ---- add_to_physmap_batch ---- */

static int64_t batch_items(struct hc_call *c, const struct xen_add_to_physmap_batch *b, struct domain *d,
			   struct domain *foreign)
{
	uint64_t idxs = (uintptr_t)b->idxs.p, gpfns = (uintptr_t)b->gpfns.p, errs = (uintptr_t)b->errs.p;

	for (uint32_t i = 0; i < b->size; i++) {
		uint64_t idx, gpfn;
		int32_t err;

		if (hc_get_pfn(c, idxs, i, &idx) != 0 || hc_get_pfn(c, gpfns, i, &gpfn) != 0) {
			return -EFAULT;
		}
		err = foreign != NULL ? add_foreign(d, foreign, idx, GFN(gpfn)) : add_one(d, b->space, idx, GFN(gpfn));
		if (hc_put_bytes(c, errs + i * sizeof(err), &err, sizeof(err)) != 0) {
			return -EFAULT;
		}
		if (i % PREEMPT_ITEMS == PREEMPT_ITEMS - 1 && hc_preempt(c)) {
			return -EINTR;
		}
	}
	return 0;
}

int64_t hc_physmap_add_batch(struct hc_call *c)
{
	struct xen_add_to_physmap_batch b;
	struct domain *d, *foreign = NULL;
	int64_t rc;

	if (c->compat) {
		return -ENOSYS;
	}
	if (hc_get(c, c->arg[1], &b) != 0) {
		return -EFAULT;
	}
	if (b.space == XENMAPSPACE_gmfn_range || b.space > XENMAPSPACE_gmfn_foreign) {
		return -EOPNOTSUPP;
	}
	if (b.space != XENMAPSPACE_gmfn_foreign && b.u.res0 != 0) {
		return -EOPNOTSUPP;
	}
	rc = access_target(c, b.domid, &d);
	if (rc != 0) {
		return rc;
	}
	if (b.space == XENMAPSPACE_gmfn_foreign) {
		rc = access_privileged(c->d) ? 0 : -EPERM;
		if (rc == 0) {
			foreign = domain_get(b.u.foreign_domid);
			rc = foreign == NULL ? -ESRCH : foreign == d ? -EINVAL : 0;
		}
	}
	if (rc == 0) {
		rc = batch_items(c, &b, d, foreign);
	}
	if (foreign != NULL) {
		domain_put(foreign);
	}
	domain_put(d);
	return rc;
}

/* ---- remove_from_physmap ---- */

int64_t hc_physmap_remove(struct hc_call *c)
{
	struct compat_remove_from_physmap narrow;
	struct xen_remove_from_physmap wide;
	struct p2m_entry old;
	struct domain *d;
	int rc;

	if (c->compat) {
		rc = hc_get(c, c->arg[1], &narrow);
		wide.domid = narrow.domid;
		wide.gpfn = narrow.gpfn;
	} else {
		rc = hc_get(c, c->arg[1], &wide);
	}
	if (rc != 0) {
		return -EFAULT;
	}
	rc = access_target(c, wide.domid, &d);
	if (rc != 0) {
		return rc;
	}
	old = p2m_lookup(d, GFN(wide.gpfn));
	rc = wide.gpfn < GFN_LIMIT ? populate_evict(d, GFN(wide.gpfn)) : -ENOENT;
	if (rc == 0 && old.type == P2M_RAM) {
		hvm_mapcache_invalidate(d);
	}
	domain_put(d);
	return rc;
}

/* ---- acquire_resource ---- */

/* How many frames the resource has; -errno. */
static int64_t resource_size(struct domain *d, const struct xen_mem_acquire_resource *r)
{
	uint32_t frames, max;

	if (r->type == XENMEM_resource_ioreq_server) {
		return 1 + (int64_t)((d->max_vcpus * 32 + PAGE_SIZE - 1) / PAGE_SIZE);
	}
	if (r->type == XENMEM_resource_grant_table) {
		grant_size(d, &frames, &max);
		return r->id == XENMEM_resource_grant_table_id_shared ? (int64_t)max : -EINVAL;
	}
	return -EOPNOTSUPP;
}

/* One frame of the resource, with a page reference. */
static int resource_frame(struct hc_call *c, struct domain *d, const struct xen_mem_acquire_resource *r,
			  uint64_t frame, struct page **page)
{
	if (r->type == XENMEM_resource_ioreq_server) {
		if (r->id > UINT16_MAX) {
			return -ENOENT;
		}
		return ioreq_server_get_frame(d, c->d->id, (uint16_t)r->id, frame, page);
	}
	return frame <= UINT32_MAX ? grant_get_frame(d, (uint32_t)frame, page) : -EINVAL;
}

static int64_t acquire_frames(struct hc_call *c, struct domain *d, const struct xen_mem_acquire_resource *r)
{
	uint64_t list = (uintptr_t)r->frame_list.p, gfn;
	struct page *page;
	int rc = 0;

	for (uint32_t i = 0; i < r->nr_frames && rc == 0; i++) {
		if (hc_get_pfn(c, list, i, &gfn) != 0) {
			return -EFAULT;
		}
		rc = gfn < GFN_LIMIT ? resource_frame(c, d, r, r->frame + i, &page) : -EINVAL;
		if (rc == 0) {
			rc = populate_show(c->d, GFN(gfn), page, P2M_FOREIGN);
		}
		if (rc == 0 && i % PREEMPT_ITEMS == PREEMPT_ITEMS - 1 && hc_preempt(c)) {
			rc = -EINTR;
		}
	}
	return rc;
}

int64_t hc_physmap_acquire(struct hc_call *c)
{
	struct xen_mem_acquire_resource r;
	struct domain *d;
	int64_t rc, size;
	int err;

	if (c->compat) {
		return -ENOSYS;
	}
	if (hc_get(c, c->arg[1], &r) != 0) {
		return -EFAULT;
	}
	if (r.pad != 0 || r.frame > UINT32_MAX || r.frame + r.nr_frames > UINT32_MAX) {
		return -EINVAL;
	}
	err = access_other(c, r.domid, &d);
	if (err != 0) {
		return err;
	}
	size = resource_size(d, &r);
	if (size < 0) {
		rc = size;
	} else if (r.frame_list.p == NULL) {
		rc = r.nr_frames != 0 ? -EINVAL : 0;
		r.nr_frames = (uint32_t)size;
		if (rc == 0) {
			rc = hc_put(c, c->arg[1], &r);
		}
	} else if (r.frame + r.nr_frames > (uint64_t)size) {
		rc = -EINVAL;
	} else {
		rc = acquire_frames(c, d, &r);
	}
	domain_put(d);
	return rc;
}
