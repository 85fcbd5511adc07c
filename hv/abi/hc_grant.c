/*
 * grant_table_op (20): (cmd, array, count). A per-item failure is a status in the item; the call itself fails only when
 * the caller's memory cannot be read or written.
 */
#include "abi/args.h"
#include "abi/compat.h"
#include "dom/grant.h"
#include "lib/nospec.h"

#define PREEMPT_ITEMS 32
#define GFN_LIMIT     BIT(40)

/* Run one item of `size` bytes at ptr after the other. */
static int64_t each(struct hc_call *c, size_t size, int (*one)(struct hc_call *c, uint64_t ptr))
{
	uint32_t count = (uint32_t)c->arg[2];
	int rc = 0;

	for (uint32_t i = 0; i < count && rc == 0; i++) {
		if (i % PREEMPT_ITEMS == PREEMPT_ITEMS - 1 && hc_preempt(c)) {
			return -EINTR;
		}
		rc = one(c, c->arg[1] + (uint64_t)i * size);
	}
	return rc;
}

/* ---- map and unmap ---- */

static int16_t map(struct hc_call *c, struct gnttab_map_grant_ref *m)
{
	struct domain *granter;
	mfn_t mfn = MFN(0);
	int16_t status;

	/* An auto-translated guest names a guest-physical address, and nothing else makes sense to it. */
	if ((m->flags & ~(uint32_t)GNTMAP_readonly) != GNTMAP_host_map || (m->host_addr & (PAGE_SIZE - 1)) ||
	    m->host_addr >> PAGE_SHIFT >= GFN_LIMIT) {
		return GNTST_general_error;
	}
	granter = domain_get(m->dom);
	if (granter == NULL) {
		return GNTST_bad_domain;
	}
	status = grant_map(c->d, granter, m->ref, GFN(m->host_addr >> PAGE_SHIFT), m->flags & GNTMAP_readonly,
			   &m->handle, &mfn);
	/* Machine addresses are for whoever drives the machine. */
	m->dev_bus_addr = access_privileged(c->d) ? mfn.v << PAGE_SHIFT : 0;
	domain_put(granter);
	return status;
}

static int one_map(struct hc_call *c, uint64_t ptr)
{
	struct gnttab_map_grant_ref m;

	if (hc_get(c, ptr, &m) != 0) {
		return -EFAULT;
	}
	m.status = map(c, &m);
	if (hc_put(c, ptr, &m) != 0) {
		if (m.status == GNTST_okay) {
			(void)grant_unmap(c->d, m.handle, GFN_INVALID);
		}
		return -EFAULT;
	}
	return 0;
}

static int one_unmap(struct hc_call *c, uint64_t ptr)
{
	struct gnttab_unmap_grant_ref u;

	if (hc_get(c, ptr, &u) != 0) {
		return -EFAULT;
	}
	if (u.host_addr & (PAGE_SIZE - 1)) {
		u.status = GNTST_bad_virt_addr;
	} else {
		u.status = grant_unmap(c->d, u.handle,
				       u.host_addr != 0 ? GFN(u.host_addr >> PAGE_SHIFT) : GFN_INVALID);
	}
	return hc_put(c, ptr, &u);
}

static int64_t op_map(struct hc_call *c)
{
	return each(c, sizeof(struct gnttab_map_grant_ref), one_map);
}

static int64_t op_unmap(struct hc_call *c)
{
	return each(c, sizeof(struct gnttab_unmap_grant_ref), one_unmap);
}

/* ---- copy ---- */

struct copy_args { struct grant_copy_end src, dst; domid_t src_id, dst_id; uint16_t len, flags; };

static int16_t copy(struct hc_call *c, struct copy_args *a)
{
	int16_t status = GNTST_bad_domain;

	a->src.is_ref = a->flags & GNTCOPY_source_gref;
	a->dst.is_ref = a->flags & GNTCOPY_dest_gref;
	if ((!a->src.is_ref && a->src_id != DOMID_SELF) || (!a->dst.is_ref && a->dst_id != DOMID_SELF)) {
		return GNTST_permission_denied;
	}
	a->src.domain = domain_get(a->src_id);
	a->dst.domain = domain_get(a->dst_id);
	if (a->src.domain != NULL && a->dst.domain != NULL) {
		status = grant_copy(c->d, &a->src, &a->dst, a->len);
	}
	if (a->src.domain != NULL) {
		domain_put(a->src.domain);
	}
	if (a->dst.domain != NULL) {
		domain_put(a->dst.domain);
	}
	return status;
}

static int one_copy(struct hc_call *c, uint64_t ptr)
{
	struct gnttab_copy g;
	struct copy_args a = { 0 };

	if (hc_get(c, ptr, &g) != 0) {
		return -EFAULT;
	}
	a.len = g.len;
	a.flags = g.flags;
	a.src_id = g.source.domid;
	a.src.offset = g.source.offset;
	a.src.frame = (g.flags & GNTCOPY_source_gref) ? g.source.u.ref : g.source.u.gmfn;
	a.dst_id = g.dest.domid;
	a.dst.offset = g.dest.offset;
	a.dst.frame = (g.flags & GNTCOPY_dest_gref) ? g.dest.u.ref : g.dest.u.gmfn;
	g.status = copy(c, &a);
	return hc_put_bytes(c, ptr + offsetof(struct gnttab_copy, status), &g.status, sizeof(g.status));
}

static int one_copy_compat(struct hc_call *c, uint64_t ptr)
{
	struct compat_gnttab_copy g;
	struct copy_args a = { 0 };

	if (hc_get(c, ptr, &g) != 0) {
		return -EFAULT;
	}
	a.len = g.len;
	a.flags = g.flags;
	a.src_id = g.source.domid;
	a.src.offset = g.source.offset;
	a.src.frame = g.source.u;
	a.dst_id = g.dest.domid;
	a.dst.offset = g.dest.offset;
	a.dst.frame = g.dest.u;
	g.status = copy(c, &a);
	return hc_put_bytes(c, ptr + offsetof(struct compat_gnttab_copy, status), &g.status, sizeof(g.status));
}

static int64_t op_copy(struct hc_call *c)
{
	if (c->compat) {
		return each(c, sizeof(struct compat_gnttab_copy), one_copy_compat);
	}
	return each(c, sizeof(struct gnttab_copy), one_copy);
}

/* ---- the table itself ---- */

/* For operations whose errors are statuses. */
static int16_t target(struct hc_call *c, domid_t id, struct domain **d)
{
	int rc = access_target(c, id, d);

	return rc == 0 ? GNTST_okay : rc == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
}

static int one_query_size(struct hc_call *c, uint64_t ptr)
{
	struct gnttab_query_size q;
	struct domain *d;

	if (hc_get(c, ptr, &q) != 0) {
		return -EFAULT;
	}
	q.status = target(c, q.dom, &d);
	if (q.status == GNTST_okay) {
		grant_size(d, &q.nr_frames, &q.max_nr_frames);
		domain_put(d);
	}
	return hc_put(c, ptr, &q);
}

static int64_t op_query_size(struct hc_call *c)
{
	return (uint32_t)c->arg[2] == 1 ? one_query_size(c, c->arg[1]) : -EINVAL;
}

/* Grow the table and tell where the caller sees its frames. */
static int64_t setup(struct hc_call *c, domid_t id, uint32_t frames, uint64_t list, int16_t *status)
{
	uint32_t have, max;
	struct domain *d;
	int64_t rc = 0;

	*status = target(c, id, &d);
	if (*status != GNTST_okay) {
		return 0;
	}
	grant_size(d, &have, &max);
	if (frames > max || grant_grow(d, frames) != 0) {
		*status = GNTST_general_error;
		frames = 0;
	}
	for (uint32_t i = 0; i < frames && rc == 0; i++) {
		rc = hc_put_pfn(c, list, i, grant_frame_gfn(d, i).v);
	}
	domain_put(d);
	return rc;
}

static int64_t op_setup_table(struct hc_call *c)
{
	struct compat_gnttab_setup_table narrow;
	struct gnttab_setup_table wide;
	int64_t rc;

	if ((uint32_t)c->arg[2] != 1) {
		return -EINVAL;
	}
	if (c->compat) {
		if (hc_get(c, c->arg[1], &narrow) != 0) {
			return -EFAULT;
		}
		rc = setup(c, narrow.dom, narrow.nr_frames, narrow.frame_list, &narrow.status);
		return rc == 0 ? hc_put(c, c->arg[1], &narrow) : rc;
	}
	if (hc_get(c, c->arg[1], &wide) != 0) {
		return -EFAULT;
	}
	rc = setup(c, wide.dom, wide.nr_frames, (uintptr_t)wide.frame_list.p, &wide.status);
	return rc == 0 ? hc_put(c, c->arg[1], &wide) : rc;
}

static int64_t op_set_version(struct hc_call *c)
{
	struct gnttab_set_version s;

	if ((uint32_t)c->arg[2] != 1) {
		return -EINVAL;
	}
	if (hc_get(c, c->arg[1], &s) != 0) {
		return -EFAULT;
	}
	if (s.version != 1) {
		return s.version == 2 ? -ENOSYS : -EINVAL;
	}
	return 0;
}

static int64_t op_get_version(struct hc_call *c)
{
	struct gnttab_get_version g;
	struct domain *d;
	int rc;

	if (hc_get(c, c->arg[1], &g) != 0) {
		return -EFAULT;
	}
	rc = access_target(c, g.dom, &d);
	if (rc != 0) {
		return rc;
	}
	domain_put(d);
	g.version = 1;
	return hc_put(c, c->arg[1], &g);
}

static int one_swap(struct hc_call *c, uint64_t ptr)
{
	struct gnttab_swap_grant_ref s;

	if (hc_get(c, ptr, &s) != 0) {
		return -EFAULT;
	}
	s.status = grant_swap(c->d, s.ref_a, s.ref_b);
	return hc_put(c, ptr, &s);
}

static int64_t op_swap(struct hc_call *c)
{
	return each(c, sizeof(struct gnttab_swap_grant_ref), one_swap);
}

static int64_t (*const ops[])(struct hc_call *c) = {
	[GNTTABOP_map_grant_ref] = op_map,
	[GNTTABOP_unmap_grant_ref] = op_unmap,
	[GNTTABOP_setup_table] = op_setup_table,
	[GNTTABOP_copy] = op_copy,
	[GNTTABOP_query_size] = op_query_size,
	[GNTTABOP_set_version] = op_set_version,
	[GNTTABOP_get_version] = op_get_version,
	[GNTTABOP_swap_grant_ref] = op_swap,
};

int64_t hc_grant(struct hc_call *c)
{
	uint32_t cmd = (uint32_t)c->arg[0];
	int64_t (*op)(struct hc_call *c) = ops[nospec_index(cmd, ARRAY_SIZE(ops))];

	if ((int32_t)c->arg[2] < 0) {
		return -EINVAL;
	}
	return cmd < ARRAY_SIZE(ops) && op != NULL ? op(c) : -ENOSYS;
}
