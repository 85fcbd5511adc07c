/*
 * dm_op (41): what a device model does to its guest.
 *
 * One row per operation: its payload's size, whether the payload goes back to the caller, the handler. Buffer 0 holds
 * struct xen_dm_op and is copied in once; its length decides what the operation may read.
 */
#include "abi/args.h"
#include "abi/compat.h"
#include "dom/ioreq_server.h"
#include "dom/populate.h"
#include "hvm/hvm.h"
#include "lib/nospec.h"
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>

/* Message addresses: 1 MiB from here on. */
#define MSI_WINDOW	0xfee00000u
#define MSI_WINDOW_MASK 0xfffffu

#define BUFS_MAX      2
#define GFN_LIMIT     BIT(40)
#define PREEMPT_ITEMS 32
#define VRAM_PAGES_MAX ((1u << 30) >> PAGE_SHIFT)

struct dm_buf { uint64_t ptr, size; };

struct dm_call {
	struct hc_call *c;
	struct domain *d;               /* the guest; not the caller */
	struct xen_dm_op op;
	struct dm_buf buf[BUFS_MAX];
	unsigned int bufs;
};

/* ---- I/O request servers ---- */

static int op_create(struct dm_call *m)
{
	struct xen_dm_op_create_ioreq_server *p = &m->op.u.create_ioreq_server;

	if (p->pad[0] != 0 || p->pad[1] != 0 || p->pad[2] != 0) {
		return -EINVAL;
	}
	return ioreq_server_create(m->d, m->c->d->id, p->handle_bufioreq, &p->id);
}

static int op_get_info(struct dm_call *m)
{
	struct xen_dm_op_get_ioreq_server_info *p = &m->op.u.get_ioreq_server_info;
	evtchn_port_t port;
	int rc;

	if (p->flags & ~XEN_DMOP_no_gfns) {
		return -EINVAL;
	}
	/* The pages are reached with acquire_resource; there is no second way through guest frames. */
	if (!(p->flags & XEN_DMOP_no_gfns)) {
		return -EOPNOTSUPP;
	}
	rc = ioreq_server_info(m->d, m->c->d->id, p->id, &port);
	p->bufioreq_port = rc == 0 ? port : 0;
	return rc;
}

static int op_map_range(struct dm_call *m)
{
	struct xen_dm_op_ioreq_server_range *p = &m->op.u.map_io_range_to_ioreq_server;

	if (p->pad != 0) {
		return -EINVAL;
	}
	return ioreq_server_map_range(m->d, m->c->d->id, p->id, p->type, p->start, p->end);
}

static int op_unmap_range(struct dm_call *m)
{
	struct xen_dm_op_ioreq_server_range *p = &m->op.u.unmap_io_range_from_ioreq_server;

	if (p->pad != 0) {
		return -EINVAL;
	}
	return ioreq_server_unmap_range(m->d, m->c->d->id, p->id, p->type, p->start, p->end);
}

static int op_set_state(struct dm_call *m)
{
	struct xen_dm_op_set_ioreq_server_state *p = &m->op.u.set_ioreq_server_state;

	if (p->pad != 0) {
		return -EINVAL;
	}
	return ioreq_server_set_state(m->d, m->c->d->id, p->id, p->enabled != 0);
}

static int op_destroy(struct dm_call *m)
{
	struct xen_dm_op_destroy_ioreq_server *p = &m->op.u.destroy_ioreq_server;

	return p->pad != 0 ? -EINVAL : ioreq_server_destroy(m->d, m->c->d->id, p->id);
}

/* ---- interrupts ---- */

static int op_pci_intx(struct dm_call *m)
{
	struct xen_dm_op_set_pci_intx_level *p = &m->op.u.set_pci_intx_level;

	if (p->domain != 0 || p->bus != 0 || p->device > 31 || p->intx > 3 || p->level > 1) {
		return -EINVAL;
	}
	return hvm_set_pci_intx(m->d, p->device, p->intx, p->level);
}

static int op_isa_irq(struct dm_call *m)
{
	struct xen_dm_op_set_isa_irq_level *p = &m->op.u.set_isa_irq_level;

	if (p->isa_irq > 15 || p->level > 1) {
		return -EINVAL;
	}
	return hvm_set_isa_irq(m->d, p->isa_irq, p->level);
}

static int op_pci_link(struct dm_call *m)
{
	struct xen_dm_op_set_pci_link_route *p = &m->op.u.set_pci_link_route;

	if (p->link > 3 || p->isa_irq > 15) {
		return -EINVAL;
	}
	return hvm_set_pci_link(m->d, p->link, p->isa_irq);
}

/*
 * QEMU sends what a device wrote into its window of the message addresses, as an offset there or as the
 * whole address: only the bits below the window mean something.
 */
static int op_inject_msi(struct dm_call *m)
{
	struct xen_dm_op_inject_msi *p = &m->op.u.inject_msi;

	if (p->pad != 0) {
		return -EINVAL;
	}
	return hvm_inject_msi(m->d, MSI_WINDOW | (p->addr & MSI_WINDOW_MASK), p->data);
}

/* ---- memory ---- */

/* Writes are not tracked: the caller takes the whole frame buffer as changed. */
static int op_track_dirty(struct dm_call *m)
{
	struct xen_dm_op_track_dirty_vram *p = &m->op.u.track_dirty_vram;

	if (p->pad != 0 || p->nr > VRAM_PAGES_MAX) {
		return -EINVAL;
	}
	return p->nr == 0 ? 0 : -ENODATA;
}

/* Without write tracking there is no bitmap to set a bit in. */
static int op_modified(struct dm_call *m)
{
	struct xen_dm_op_modified_memory *p = &m->op.u.modified_memory;

	if (m->bufs < 2 || p->nr_extents > m->buf[1].size / sizeof(struct xen_dm_op_modified_memory_extent)) {
		return -EINVAL;
	}
	return 0;
}

static int set_one_type(struct domain *d, gfn_t gfn, enum p2m_type to)
{
	enum p2m_type from = p2m_lookup(d, gfn).type;

	if (from == to || (from == P2M_HOLE && to == P2M_MMIO_DM)) {
		return 0;
	}
	if (from != P2M_RAM && from != P2M_RAM_RO && from != P2M_MMIO_DM) {
		return -EINVAL;
	}
	return p2m_set_type(d, gfn, from, to);
}

static int op_set_mem_type(struct dm_call *m)
{
	static const enum p2m_type types[] = {
		[HVMMEM_ram_rw] = P2M_RAM, [HVMMEM_ram_ro] = P2M_RAM_RO, [HVMMEM_mmio_dm] = P2M_MMIO_DM,
	};
	struct xen_dm_op_set_mem_type *p = &m->op.u.set_mem_type;
	uint64_t last;
	int rc = 0;

	if (p->pad != 0 || p->mem_type >= ARRAY_SIZE(types)) {
		return -EINVAL;
	}
	if (p->nr == 0) {
		return 0;
	}
	last = p->first_pfn + p->nr - 1;
	if (last < p->first_pfn || last > READ_ONCE(m->d->p2m.max_gfn)) {
		return -EINVAL;
	}
	for (uint64_t g = p->first_pfn; g <= last && rc == 0; g++) {
		rc = set_one_type(m->d, GFN(g), types[p->mem_type]);
		if (g % PREEMPT_ITEMS == 0 && hc_preempt(m->c)) {
			return -EINTR;
		}
	}
	return rc;
}

static int op_relocate(struct dm_call *m)
{
	struct xen_dm_op_relocate_memory *p = &m->op.u.relocate_memory;
	uint64_t done;
	int rc;

	if (p->pad != 0 || p->src_gfn >= GFN_LIMIT - p->size || p->dst_gfn >= GFN_LIMIT - p->size) {
		return -EINVAL;
	}
	rc = populate_move_range(m->d, GFN(p->src_gfn), GFN(p->dst_gfn), p->size, &done);
	hvm_mapcache_invalidate(m->d);
	return rc;
}

/* Guest memory is always write-back in the nested tables, whatever the guest's MTRRs say. */
static int op_pin_cacheattr(struct dm_call *m)
{
	struct xen_dm_op_pin_memory_cacheattr *p = &m->op.u.pin_memory_cacheattr;

	if (p->pad != 0 || p->start > p->end) {
		return -EINVAL;
	}
	switch (p->type) {
	case XEN_DMOP_MEM_CACHEATTR_WB:
	case XEN_DMOP_DELETE_MEM_CACHEATTR:
		return 0;
	case XEN_DMOP_MEM_CACHEATTR_UC:
	case XEN_DMOP_MEM_CACHEATTR_WC:
	case XEN_DMOP_MEM_CACHEATTR_WT:
	case XEN_DMOP_MEM_CACHEATTR_WP:
	case XEN_DMOP_MEM_CACHEATTR_UCM:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* ---- the rest ---- */

static int op_remote_shutdown(struct dm_call *m)
{
	domain_shutdown(m->d, (uint8_t)m->op.u.remote_shutdown.reason);
	return 0;
}

static int op_nr_vcpus(struct dm_call *m)
{
	m->op.u.nr_vcpus.vcpus = m->d->max_vcpus;
	return 0;
}

#define ROW(name, out, fn) [XEN_DMOP_##name] = { sizeof(((struct xen_dm_op *)0)->u.name), out, fn }

static const struct {
	uint8_t size;                   /* of the payload */
	bool out;                       /* the payload goes back */
	int (*fn)(struct dm_call *m);
} ops[] = {
	ROW(create_ioreq_server, true, op_create),
	ROW(get_ioreq_server_info, true, op_get_info),
	ROW(map_io_range_to_ioreq_server, false, op_map_range),
	ROW(unmap_io_range_from_ioreq_server, false, op_unmap_range),
	ROW(set_ioreq_server_state, false, op_set_state),
	ROW(destroy_ioreq_server, false, op_destroy),
	ROW(track_dirty_vram, false, op_track_dirty),
	ROW(set_pci_intx_level, false, op_pci_intx),
	ROW(set_isa_irq_level, false, op_isa_irq),
	ROW(set_pci_link_route, false, op_pci_link),
	ROW(modified_memory, false, op_modified),
	ROW(set_mem_type, false, op_set_mem_type),
	ROW(inject_msi, false, op_inject_msi),
	ROW(remote_shutdown, false, op_remote_shutdown),
	ROW(relocate_memory, false, op_relocate),
	ROW(pin_memory_cacheattr, false, op_pin_cacheattr),
	ROW(nr_vcpus, true, op_nr_vcpus),
};

/* ---- decoding ---- */

static int get_bufs(struct dm_call *m, unsigned int count)
{
	struct hc_call *c = m->c;

	for (unsigned int i = 0; i < count; i++) {
		if (c->compat) {
			struct compat_dm_op_buf b;
			if (hc_get(c, c->arg[2] + i * sizeof(b), &b) != 0) {
				return -EFAULT;
			}
			m->buf[i] = (struct dm_buf){ b.h, b.size };
		} else {
			struct xen_dm_op_buf b;
			if (hc_get(c, c->arg[2] + i * sizeof(b), &b) != 0) {
				return -EFAULT;
			}
			m->buf[i] = (struct dm_buf){ (uintptr_t)b.h.p, b.size };
		}
	}
	m->bufs = count;
	return 0;
}

static int run(struct dm_call *m)
{
	uint32_t nr;
	int rc;

	if (m->buf[0].size < offsetof(struct xen_dm_op, u) ||
	    hc_get_bytes(m->c, m->buf[0].ptr, &m->op, MIN(m->buf[0].size, sizeof(m->op))) != 0) {
		return -EFAULT;
	}
	nr = m->op.op;
	if (m->op.pad != 0) {
		return -EINVAL;
	}
	if (nr >= ARRAY_SIZE(ops)) {
		return -EOPNOTSUPP;
	}
	nr = (uint32_t)nospec_index(nr, ARRAY_SIZE(ops));
	if (ops[nr].fn == NULL) {
		return -EOPNOTSUPP;
	}
	if (m->buf[0].size < offsetof(struct xen_dm_op, u) + ops[nr].size) {
		return -EFAULT;
	}
	rc = ops[nr].fn(m);
	if (rc == 0 && ops[nr].out) {
		rc = hc_put_bytes(m->c, m->buf[0].ptr + offsetof(struct xen_dm_op, u), &m->op.u, ops[nr].size);
	}
	return rc;
}

int64_t hc_dm_op(struct hc_call *c)
{
	struct dm_call m = { .c = c };
	uint32_t count = (uint32_t)c->arg[1];
	int rc;

	if (count == 0) {
		return -ENODATA;
	}
	if (count > BUFS_MAX) {
		return -E2BIG;
	}
	rc = access_other(c, (domid_t)c->arg[0], &m.d);
	if (rc != 0) {
		return rc;
	}
	rc = READ_ONCE(m.d->dying) ? -ESRCH : get_bufs(&m, count);
	if (rc == 0) {
		rc = run(&m);
	}
	domain_put(m.d);
	return rc;
}
