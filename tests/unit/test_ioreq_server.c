/* I/O request servers through dm_op: ranges, selection, pages, ports, life; and the other dm_ops' errors. */
#include <stdint.h>
#include <string.h>
#include <xen/memory.h>
#include <xen/hvm/dm_op.h>
#include <xen/hvm/hvm_op.h>
#include "dom/evtchn.h"
#include "dom/iorange.h"
#include "dom/ioreq_server.h"
#include "dom/populate.h"
#include "fake/fake_hv.h"
#include "fake/suite.h"
#include "ioreq/bufring.h"
#include "ioreq/slot.h"

static struct domain *g;

static void setup(void)
{
	fake_hv_reset(1);
	g = fake_guest(2, 64);
}

static int64_t dm_raw(domid_t dom, struct xen_dm_op *op, size_t size, unsigned int bufs)
{
	struct xen_dm_op_buf b[3] = { 0 };
	uint64_t p = fake_put(op, sizeof(*op));
	int64_t rc;

	b[0].h.p = (void *)p;
	b[0].size = size;
	b[1].h.p = (void *)p;
	b[1].size = 64;
	rc = fake_call(__HYPERVISOR_dm_op, dom, bufs, FAKE_PUT(b));
	fake_get(p, op, sizeof(*op));
	return rc;
}

static int64_t dm(struct xen_dm_op *op)
{
	return dm_raw(g->id, op, sizeof(*op), 1);
}

static int64_t create(uint8_t mode, uint16_t *id)
{
	struct xen_dm_op op = { .op = XEN_DMOP_create_ioreq_server };
	int64_t rc;

	op.u.create_ioreq_server.handle_bufioreq = mode;
	rc = dm(&op);
	*id = op.u.create_ioreq_server.id;
	return rc;
}

static int64_t set_state(uint16_t id, uint8_t enabled)
{
	struct xen_dm_op op = { .op = XEN_DMOP_set_ioreq_server_state };

	op.u.set_ioreq_server_state.id = id;
	op.u.set_ioreq_server_state.enabled = enabled;
	return dm(&op);
}

static int64_t destroy(uint16_t id)
{
	struct xen_dm_op op = { .op = XEN_DMOP_destroy_ioreq_server };

	op.u.destroy_ioreq_server.id = id;
	return dm(&op);
}

static int64_t range(uint32_t cmd, uint16_t id, uint32_t type, uint64_t start, uint64_t end)
{
	struct xen_dm_op op = { .op = cmd };

	op.u.map_io_range_to_ioreq_server = (struct xen_dm_op_ioreq_server_range){
		.id = id, .type = type, .start = start, .end = end };
	return dm(&op);
}

#define map(id, type, start, end) range(XEN_DMOP_map_io_range_to_ioreq_server, id, type, start, end)
#define unmap(id, type, start, end) range(XEN_DMOP_unmap_io_range_from_ioreq_server, id, type, start, end)

START_TEST(envelope)
{
	struct xen_dm_op op = { .op = XEN_DMOP_nr_vcpus };

	ck_assert_int_eq(dm(&op), 0);
	ck_assert_uint_eq(op.u.nr_vcpus.vcpus, 2);
	ck_assert_int_eq(dm_raw(g->id, &op, sizeof(op), 0), -ENODATA);
	ck_assert_int_eq(dm_raw(g->id, &op, sizeof(op), 3), -E2BIG);
	ck_assert_int_eq(dm_raw(g->id, &op, 11, 1), -EFAULT);
	ck_assert_int_eq(dm_raw(g->id, &op, 4, 1), -EFAULT);
	ck_assert_int_eq(dm_raw(g->id, &op, 12, 1), 0);
	ck_assert_int_eq(dm_raw(DOMID_SELF, &op, sizeof(op), 1), -EPERM);
	ck_assert_int_eq(dm_raw(0, &op, sizeof(op), 1), -EPERM);
	ck_assert_int_eq(dm_raw(55, &op, sizeof(op), 1), -ESRCH);
	op.pad = 1;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op = (struct xen_dm_op){ .op = 99 };
	ck_assert_int_eq(dm(&op), -EOPNOTSUPP);
	op.op = XEN_DMOP_inject_event;
	ck_assert_int_eq(dm(&op), -EOPNOTSUPP);
	fake_run_on(g->vcpu[0]);
	op.op = XEN_DMOP_nr_vcpus;
	ck_assert_int_eq(dm_raw(0, &op, sizeof(op), 1), -EPERM);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(life)
{
	struct xen_dm_op info = { .op = XEN_DMOP_get_ioreq_server_info };
	uint16_t id, more;
	evtchn_port_t local;

	ck_assert_int_eq(create(3, &id), -EINVAL);
	ck_assert_int_eq(create(HVM_IOREQSRV_BUFIOREQ_ATOMIC, &id), 0);
	for (unsigned int i = 1; i < IOREQ_SERVERS_MAX; i++) {
		ck_assert_int_eq(create(0, &more), 0);
	}
	ck_assert_int_eq(create(0, &more), -ENOSPC);
	ck_assert_int_eq(destroy(9), -ENOENT);
	ck_assert_int_eq(destroy(7), 0);
	ck_assert_int_eq(destroy(7), -ENOENT);
	info.u.get_ioreq_server_info.id = id;
	ck_assert_int_eq(dm(&info), -EOPNOTSUPP);
	info.u.get_ioreq_server_info.flags = XEN_DMOP_no_gfns;
	ck_assert_int_eq(dm(&info), 0);
	ck_assert_uint_ne(info.u.get_ioreq_server_info.bufioreq_port, 0);
	ck_assert_int_eq(evtchn_bind_interdomain(dom0, g, info.u.get_ioreq_server_info.bufioreq_port, &local), 0);
	ck_assert_int_eq(set_state(9, 1), -ENOENT);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(selection)
{
	struct ioreq_server *s;
	uint16_t a, b;

	ck_assert_int_eq(create(0, &a), 0);
	ck_assert_int_eq(create(0, &b), 0);
	ck_assert_int_eq(map(a, 3, 0, 1), -EINVAL);
	ck_assert_int_eq(map(a, XEN_DMOP_IO_RANGE_PORT, 2, 1), -EINVAL);
	ck_assert_int_eq(map(a, XEN_DMOP_IO_RANGE_PORT, 0x3f8, 0x3ff), 0);
	ck_assert_int_eq(map(a, XEN_DMOP_IO_RANGE_PORT, 0x3ff, 0x400), -EEXIST);
	ck_assert_int_eq(map(b, XEN_DMOP_IO_RANGE_PORT, 0x3f0, 0x3f9), 0);
	ck_assert_ptr_null(ioreq_server_select(g, IOREQ_RANGE_PORT, 0x3f8, 1));         /* both are off */
	ck_assert_int_eq(set_state(a, 1), 0);
	s = ioreq_server_select(g, IOREQ_RANGE_PORT, 0x3f8, 4);
	ck_assert_ptr_nonnull(s);
	ioreq_server_put(s);
	ck_assert_ptr_null(ioreq_server_select(g, IOREQ_RANGE_PORT, 0x3fe, 4));         /* sticks out */
	ck_assert_ptr_null(ioreq_server_select(g, IOREQ_RANGE_MEMORY, 0x3f8, 1));
	ck_assert_ptr_null(ioreq_server_select(g, IOREQ_RANGE_MEMORY, ~0ull, 2));
	/* The newer one wins where it holds the whole access. */
	ck_assert_int_eq(set_state(b, 1), 0);
	s = ioreq_server_select(g, IOREQ_RANGE_PORT, 0x3f8, 1);
	ck_assert_uint_eq(ioreq_server_port(s, 0), 3);
	ioreq_server_put(s);
	s = ioreq_server_select(g, IOREQ_RANGE_PORT, 0x3f8, 4);
	ck_assert_uint_eq(ioreq_server_port(s, 0), 1);
	ioreq_server_put(s);
	ck_assert_int_eq(unmap(a, XEN_DMOP_IO_RANGE_PORT, 0x3f0, 0x3f8), -ENOENT);
	ck_assert_int_eq(unmap(a, XEN_DMOP_IO_RANGE_PORT, 0x3fa, 0x3fb), 0);
	ck_assert_ptr_null(ioreq_server_select(g, IOREQ_RANGE_PORT, 0x3f8, 4));
	ck_assert_int_eq(map(a, XEN_DMOP_IO_RANGE_PCI, 0x10, 0x10), 0);
	s = ioreq_server_select(g, IOREQ_RANGE_PCI, 0x10, 1);
	ck_assert_ptr_nonnull(s);
	/* Destroyed while somebody holds it. */
	ck_assert(ioreq_server_active(s));
	fake_counts.wakes = 0;
	ck_assert_int_eq(destroy(a), 0);
	ck_assert(!ioreq_server_active(s));
	ck_assert_uint_ge(fake_counts.wakes, 2);
	ck_assert_ptr_null(ioreq_server_select(g, IOREQ_RANGE_PCI, 0x10, 1));
	ioreq_server_notify(s, 0);
	ioreq_server_put(s);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(pages_and_ports)
{
	struct xen_mem_acquire_resource r = { .domid = g->id, .nr_frames = 2 };
	uint64_t gfns[2] = { 0x900, 0x901 }, p;
	struct ioreq_slot *slot;
	struct ioreq_server *s;
	struct ioreq req = { .type = IOREQ_TYPE_COPY, .addr = 0xa0000, .size = 1, .count = 1, .data = 5 };
	evtchn_port_t local;
	struct vcpu *v = g->vcpu[1];
	uint16_t id;

	ck_assert_int_eq(create(HVM_IOREQSRV_BUFIOREQ_ATOMIC, &id), 0);
	r.id = id;
	r.frame_list.p = (xen_pfn_t *)FAKE_PUT(gfns);
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, FAKE_PUT(r), 0), 0);
	ck_assert_int_eq(p2m_lookup(dom0, GFN(0x900)).type, P2M_FOREIGN);
	ck_assert_int_eq(set_state(id, 1), 0);
	slot = (struct ioreq_slot *)fake_page_at(dom0, GFN(0x901)) + 1;
	ck_assert_uint_ne(slot->vp_eport, 0);
	ck_assert_int_eq(map(id, XEN_DMOP_IO_RANGE_MEMORY, 0xa0000, 0xbffff), 0);
	s = ioreq_server_select(g, IOREQ_RANGE_MEMORY, 0xa0000, 4);
	ck_assert_ptr_eq(ioreq_server_slot(s, 1), slot);
	/* Both directions of the vCPU's port. */
	ck_assert_int_eq(evtchn_bind_interdomain(dom0, g, slot->vp_eport, &local), 0);
	/* An answer wakes who waits for it, and has nothing to do with interrupts. */
	v->kicked = 0;
	v->unit.wake_pending = false;
	ck_assert_int_eq(evtchn_send(dom0, local), 0);
	ck_assert(v->unit.wake_pending);
	ck_assert_uint_eq(v->kicked, 0);
	fake_counts.upcalls = 0;
	((struct vcpu_info *)dom0->vcpu[0]->info)->evtchn_upcall_pending = 0;
	((struct vcpu_info *)dom0->vcpu[0]->info)->evtchn_pending_sel = 0;
	evtchn_close(dom0, local) == 0 ? (void)0 : ck_abort();
	ck_assert_int_eq(evtchn_bind_interdomain(dom0, g, slot->vp_eport, &local), 0);
	ck_assert_uint_eq(fake_counts.upcalls, 1);
	/* The guest cannot use that port. */
	ck_assert_int_eq(evtchn_send(g, slot->vp_eport), -EINVAL);
	ck_assert_int_eq(evtchn_close(g, slot->vp_eport), -EINVAL);
	ck_assert_int_eq(ioreq_server_buffer(s, &req), 0);
	ck_assert_uint_eq(((struct bufring_page *)fake_page_at(dom0, GFN(0x900)))->write, 1);
	ioreq_server_put(s);
	/* Sizes and errors. */
	r.frame_list.p = NULL;
	r.nr_frames = 0;
	p = FAKE_PUT(r);
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, p, 0), 0);
	FAKE_GET(p, r);
	ck_assert_uint_eq(r.nr_frames, 2);
	r.frame_list.p = (xen_pfn_t *)FAKE_PUT(gfns);
	r.nr_frames = 3;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, FAKE_PUT(r), 0), -EINVAL);
	r.nr_frames = 1;
	r.pad = 1;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, FAKE_PUT(r), 0), -EINVAL);
	r.pad = 0;
	r.id = 6;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, FAKE_PUT(r), 0), -ENOENT);
	r.type = 9;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, FAKE_PUT(r), 0), -EOPNOTSUPP);
	r.domid = 0;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, FAKE_PUT(r), 0), -EPERM);
	/* The device model's mappings outlive the domain. */
	ck_assert_int_eq(domain_destroy(g), 0);
	slot->data = 1;
	ck_assert_int_eq(populate_evict(dom0, GFN(0x900)), 0);
	ck_assert_int_eq(populate_evict(dom0, GFN(0x901)), 0);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(interrupts_and_memory)
{
	struct xen_dm_op op = { .op = XEN_DMOP_set_pci_intx_level };

	op.u.set_pci_intx_level = (struct xen_dm_op_set_pci_intx_level){ .device = 31, .intx = 3, .level = 1 };
	ck_assert_int_eq(dm(&op), 0);
	ck_assert_uint_eq(fake_counts.intx, 31u << 8 | 3u << 4 | 1);
	op.u.set_pci_intx_level.device = 32;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op = (struct xen_dm_op){ .op = XEN_DMOP_set_isa_irq_level };
	op.u.set_isa_irq_level.isa_irq = 16;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op = (struct xen_dm_op){ .op = XEN_DMOP_inject_msi };
	ck_assert_int_eq(dm(&op), 0);
	ck_assert_uint_eq(fake_counts.msi, 1);
	/* The address as an offset into the window, as QEMU's APIC region passes it on, and whole. */
	op.u.inject_msi.addr = 0x1004;
	ck_assert_int_eq(dm(&op), 0);
	ck_assert_uint_eq(fake_counts.msi_addr, 0xfee01004);
	op.u.inject_msi.addr = 0xfee02000;
	ck_assert_int_eq(dm(&op), 0);
	ck_assert_uint_eq(fake_counts.msi_addr, 0xfee02000);
	/* Memory: VRAM above RAM, moved to a BAR; the frame stays the same. */
	for (uint64_t i = 0; i < 4; i++) {
		ck_assert_int_eq(populate_add(g, GFN(0x20 + i), 0), 0);
		memset(fake_page_at(g, GFN(0x20 + i)), (int)i + 1, 4);
	}
	op = (struct xen_dm_op){ .op = XEN_DMOP_relocate_memory };
	op.u.relocate_memory.size = 4;
	op.u.relocate_memory.src_gfn = 0x20;
	op.u.relocate_memory.dst_gfn = 0x22;
	ck_assert_int_eq(dm(&op), 0);
	ck_assert_uint_eq(*(uint8_t *)fake_page_at(g, GFN(0x22)), 1);
	ck_assert_uint_eq(*(uint8_t *)fake_page_at(g, GFN(0x25)), 4);
	ck_assert_int_eq(p2m_lookup(g, GFN(0x20)).type, P2M_HOLE);
	ck_assert_uint_eq(g->tot_pages, 4);
	ck_assert_uint_eq(fake_counts.invalidates, 1);
	op.u.relocate_memory.src_gfn = 0x30;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op = (struct xen_dm_op){ .op = XEN_DMOP_set_mem_type };
	op.u.set_mem_type = (struct xen_dm_op_set_mem_type){ .nr = 2, .mem_type = HVMMEM_ram_ro, .first_pfn = 0x22 };
	ck_assert_int_eq(dm(&op), 0);
	ck_assert_int_eq(p2m_lookup(g, GFN(0x23)).type, P2M_RAM_RO);
	op.u.set_mem_type.first_pfn = 0x1000;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op.u.set_mem_type.first_pfn = ~0ull;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op = (struct xen_dm_op){ .op = XEN_DMOP_track_dirty_vram };
	op.u.track_dirty_vram.nr = 8;
	ck_assert_int_eq(dm(&op), -ENODATA);
	op.u.track_dirty_vram.nr = ~0u;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op = (struct xen_dm_op){ .op = XEN_DMOP_pin_memory_cacheattr };
	op.u.pin_memory_cacheattr.type = XEN_DMOP_MEM_CACHEATTR_WB;
	ck_assert_int_eq(dm(&op), 0);
	op.u.pin_memory_cacheattr.type = 3;
	ck_assert_int_eq(dm(&op), -EINVAL);
	op = (struct xen_dm_op){ .op = XEN_DMOP_remote_shutdown };
	op.u.remote_shutdown.reason = 1;
	ck_assert_int_eq(dm(&op), 0);
	ck_assert(g->shutdown && g->shutdown_code == 1);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(without_memory)
{
	unsigned int n = 0;
	uint16_t id;
	int64_t rc;

	do {
		fake_fail_nth(++n);
		rc = create(HVM_IOREQSRV_BUFIOREQ_ATOMIC, &id);
		fake_fail_nth(0);
		ck_assert(rc == 0 || rc == -ENOMEM);
	} while (rc != 0);
	ck_assert_uint_gt(n, 4);
	n = 0;
	do {
		fake_fail_nth(++n);
		rc = set_state(id, 1);
		fake_fail_nth(0);
		ck_assert(rc == 0 || rc == -ENOMEM);
	} while (rc != 0);
	ck_assert_uint_ge(n, 2);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(ranges)
{
	static struct iorange_set s;

	ck_assert_int_eq(iorange_add(&s, 10, 19), 0);
	ck_assert_int_eq(iorange_add(&s, 30, 39), 0);
	ck_assert_int_eq(iorange_add(&s, 20, 29), 0);
	ck_assert(iorange_contains(&s, 10, 39));
	ck_assert(!iorange_contains(&s, 9, 10));
	ck_assert_int_eq(iorange_add(&s, 0, 10), -EEXIST);
	ck_assert_int_eq(iorange_remove(&s, 15, 34), 0);
	ck_assert_uint_eq(s.count, 2);
	ck_assert(iorange_contains(&s, 10, 14) && iorange_contains(&s, 35, 39) && !iorange_contains(&s, 14, 15));
	ck_assert_int_eq(iorange_remove(&s, 10, 39), -ENOENT);
	ck_assert_int_eq(iorange_remove(&s, 5, 4), -EINVAL);
	ck_assert_int_eq(iorange_add(&s, ~0ull, ~0ull), 0);
	ck_assert(iorange_contains(&s, ~0ull, ~0ull));
	for (uint64_t i = s.count; i < IORANGE_MAX; i++) {
		ck_assert_int_eq(iorange_add(&s, 1000 + 3 * i, 1001 + 3 * i), 0);
	}
	ck_assert_int_eq(iorange_add(&s, 5, 5), -ENOSPC);
	ck_assert_int_eq(iorange_remove(&s, 36, 37), -ENOSPC);
	ck_assert_int_eq(iorange_remove(&s, 35, 37), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { envelope, life, selection, pages_and_ports, interrupts_and_memory, without_memory,
		ranges, NULL };

	return suite_run("ioreq_server", setup, tests);
}
