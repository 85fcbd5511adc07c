/*
 * memory_op (12): reservations and memory maps. Placing things in the guest-physical map is hc_physmap.c's.
 *
 * Reservation operations return how many extents were done, never an error for partial work.
 */
#include "abi/args.h"
#include "abi/compat.h"
#include "abi/hc_physmap.h"
#include "core/heap.h"
#include "core/page_alloc.h"
#include "dom/populate.h"
#include "hvm/hvm.h"
#include "lib/nospec.h"
#include <xen/memory.h>

#define E820_ENTRIES_MAX 1024
#define GUEST_ORDER_MAX  PAGE_ORDER_2M
#define PREEMPT_ITEMS    32

struct reservation {
	uint64_t extents;               /* array of frame numbers; 0: none */
	uint64_t count;
	uint32_t order;
	domid_t domid;
};

static int get_reservation(struct hc_call *c, struct reservation *r)
{
	struct compat_memory_reservation narrow;
	struct xen_memory_reservation wide;

	if (c->compat) {
		if (hc_get(c, c->arg[1], &narrow) != 0) {
			return -EFAULT;
		}
		*r = (struct reservation){ narrow.extent_start, narrow.nr_extents, narrow.extent_order, narrow.domid };
		return 0;
	}
	if (hc_get(c, c->arg[1], &wide) != 0) {
		return -EFAULT;
	}
	*r = (struct reservation){ (uintptr_t)wide.extent_start.p, wide.nr_extents, wide.extent_order, wide.domid };
	return 0;
}

/* ---- populate, decrease ---- */

static int64_t do_populate(struct hc_call *c, const struct reservation *r, struct domain *d)
{
	uint64_t done, gfn;

	for (done = 0; done < r->count; done++) {
		if (hc_get_pfn(c, r->extents, done, &gfn) != 0 || populate_add(d, GFN(gfn), r->order) != 0) {
			break;
		}
		if ((r->order != 0 || done % PREEMPT_ITEMS == PREEMPT_ITEMS - 1) && hc_preempt(c)) {
			break;
		}
	}
	return (int64_t)done;
}

static int64_t do_decrease(struct hc_call *c, const struct reservation *r, struct domain *d)
{
	uint64_t done, gfn, n = BIT(r->order), freed = 0;
	int rc = 0;

	for (done = 0; done < r->count && rc == 0; done++) {
		if (hc_get_pfn(c, r->extents, done, &gfn) != 0) {
			break;
		}
		for (uint64_t i = 0; i < n && rc == 0; i++) {
			rc = populate_remove(d, GFN(gfn + i));
			freed += rc == 0;
			if (i % PREEMPT_ITEMS == PREEMPT_ITEMS - 1) {
				(void)hc_preempt(c);
			}
		}
		if (rc != 0 || hc_preempt(c)) {
			break;
		}
	}
	if (freed != 0) {
		hvm_mapcache_invalidate(d);
	}
	return (int64_t)done;
}

static int64_t reservation_op(struct hc_call *c,
			      int64_t (*fn)(struct hc_call *c, const struct reservation *r, struct domain *d))
{
	struct reservation r;
	struct domain *d;
	int64_t rc = get_reservation(c, &r);

	if (rc != 0) {
		return rc;
	}
	if (r.order > (access_privileged(c->d) ? PAGE_ORDER_MAX : GUEST_ORDER_MAX)) {
		return 0;
	}
	rc = access_target(c, r.domid, &d);
	if (rc == 0) {
		rc = fn(c, &r, d);
		domain_put(d);
	}
	return rc;
}

static int64_t op_populate(struct hc_call *c)
{
	return reservation_op(c, do_populate);
}

static int64_t op_decrease(struct hc_call *c)
{
	return reservation_op(c, do_decrease);
}

/*
 * A claim keeps no memory back: populate itself refuses in time, and one toolstack builds one guest at a time. It
 * answers whether the memory is there now.
 */
static int64_t op_claim(struct hc_call *c)
{
	struct reservation r;
	struct domain *d;
	int64_t rc = get_reservation(c, &r);

	if (rc != 0) {
		return rc;
	}
	if (r.order != 0 || r.extents != 0) {
		return -EINVAL;
	}
	rc = access_other(c, r.domid, &d);
	if (rc != 0) {
		return rc;
	}
	if (r.count != 0 && (r.count < d->tot_pages || r.count - d->tot_pages > page_count_free())) {
		rc = r.count < d->tot_pages ? -EINVAL : -ENOMEM;
	}
	domain_put(d);
	return rc;
}

/* ---- counts ---- */

static int64_t op_maximum_ram_page(struct hc_call *c)
{
	return (int64_t)page_total();
}

static int64_t domain_count(struct hc_call *c, uint64_t (*fn)(struct domain *d))
{
	struct domain *d;
	int64_t count;
	domid_t id;
	int rc;

	if (hc_get(c, c->arg[1], &id) != 0) {
		return -EFAULT;
	}
	rc = access_target(c, id, &d);
	if (rc != 0) {
		return rc;
	}
	count = (int64_t)MIN(fn(d), (uint64_t)INT64_MAX);
	domain_put(d);
	return count;
}

static uint64_t count_tot(struct domain *d)
{
	return READ_ONCE(d->tot_pages);
}

static uint64_t count_max(struct domain *d)
{
	return READ_ONCE(d->max_pages);
}

static uint64_t count_gpfn(struct domain *d)
{
	return READ_ONCE(d->p2m.max_gfn);
}

static int64_t op_current(struct hc_call *c)
{
	return domain_count(c, count_tot);
}

static int64_t op_maximum(struct hc_call *c)
{
	return domain_count(c, count_max);
}

static int64_t op_maximum_gpfn(struct hc_call *c)
{
	return domain_count(c, count_gpfn);
}

/* ---- the E820 map that the toolstack leaves for the guest ---- */

_Static_assert(sizeof(struct xen_e820) == 20, "packed as the ABI has it");

static int64_t put_entries(struct hc_call *c, uint64_t buffer, uint32_t *count)
{
	struct domain *d = c->d;
	struct xen_e820 e;

	if (READ_ONCE(d->e820_entries) == 0) {
		return -ENOSYS;
	}
	for (uint32_t i = 0; i < *count; i++) {
		spin_lock(&d->lock);
		if (i >= d->e820_entries) {
			spin_unlock(&d->lock);
			*count = i;
			break;
		}
		e = d->e820[i];
		spin_unlock(&d->lock);
		if (hc_put_bytes(c, buffer + i * sizeof(e), &e, sizeof(e)) != 0) {
			return -EFAULT;
		}
	}
	return 0;
}

static int64_t op_memory_map(struct hc_call *c)
{
	struct compat_memory_map narrow;
	struct xen_memory_map wide;
	int64_t rc;

	if (c->compat) {
		if (hc_get(c, c->arg[1], &narrow) != 0) {
			return -EFAULT;
		}
		rc = put_entries(c, narrow.buffer, &narrow.nr_entries);
		return rc == 0 ? hc_put(c, c->arg[1], &narrow) : rc;
	}
	if (hc_get(c, c->arg[1], &wide) != 0) {
		return -EFAULT;
	}
	rc = put_entries(c, (uintptr_t)wide.buffer.p, &wide.nr_entries);
	return rc == 0 ? hc_put(c, c->arg[1], &wide) : rc;
}

static int64_t op_set_memory_map(struct hc_call *c)
{
	struct xen_foreign_memory_map m;
	struct xen_e820 *map, *old;
	struct domain *d;
	int rc;

	if (c->compat) {
		return -ENOSYS; /* a control tool's call: there are no 32-bit ones */
	}
	if (hc_get(c, c->arg[1], &m) != 0) {
		return -EFAULT;
	}
	if (m.map.nr_entries > E820_ENTRIES_MAX) {
		return -EINVAL;
	}
	rc = access_other(c, m.domid, &d);
	if (rc != 0) {
		return rc;
	}
	map = heap_alloc(m.map.nr_entries * sizeof(*map) + 1);
	old = map;
	if (map == NULL) {
		rc = -ENOMEM;
	} else if (hc_get_bytes(c, (uintptr_t)m.map.buffer.p, map, m.map.nr_entries * sizeof(*map)) != 0) {
		rc = -EFAULT;
	} else {
		spin_lock(&d->lock);
		old = d->e820;
		d->e820 = map;
		d->e820_entries = m.map.nr_entries;
		spin_unlock(&d->lock);
	}
	heap_free(old);
	domain_put(d);
	return rc;
}

static int64_t op_unsupported(struct hc_call *c)
{
	return -EOPNOTSUPP;
}

static int64_t (*const ops[])(struct hc_call *c) = {
	[XENMEM_decrease_reservation] = op_decrease,
	[XENMEM_maximum_ram_page] = op_maximum_ram_page,
	[XENMEM_current_reservation] = op_current,
	[XENMEM_maximum_reservation] = op_maximum,
	[XENMEM_populate_physmap] = op_populate,
	[XENMEM_add_to_physmap] = hc_physmap_add,
	[XENMEM_memory_map] = op_memory_map,
	[XENMEM_set_memory_map] = op_set_memory_map,
	[XENMEM_maximum_gpfn] = op_maximum_gpfn,
	[XENMEM_remove_from_physmap] = hc_physmap_remove,
	[XENMEM_add_to_physmap_batch] = hc_physmap_add_batch,
	[XENMEM_claim_pages] = op_claim,
	[XENMEM_get_vnumainfo] = op_unsupported,
	[XENMEM_acquire_resource] = hc_physmap_acquire,
};

int64_t hc_memory(struct hc_call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	int64_t (*op)(struct hc_call *c) = ops[nospec_index(cmd, ARRAY_SIZE(ops))];

	return cmd < ARRAY_SIZE(ops) && op != NULL ? op(c) : -ENOSYS;
}
