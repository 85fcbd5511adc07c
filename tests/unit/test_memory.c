/* memory_op: populate, decrease, maps of all kinds, foreign mappings, both layouts, and that nothing leaks. */
#include <stdint.h>
#include <string.h>
#include <xen/memory.h>
#include "dom/populate.h"
#include "dom/shared_info.h"
#include "fake/fake_hv.h"
#include "fake/suite.h"

static struct domain *g;

static void setup(void)
{
	fake_hv_reset(1);
	g = fake_guest(1, 2048);
}

static int64_t op(uint32_t cmd, uint64_t ptr)
{
	return fake_call(__HYPERVISOR_memory_op, cmd, ptr, 0);
}

static int64_t reservation(uint32_t cmd, domid_t dom, const uint64_t *gfns, uint64_t n, uint32_t order)
{
	struct xen_memory_reservation r = { .nr_extents = n, .extent_order = order, .domid = dom };

	r.extent_start.p = (xen_pfn_t *)fake_put(gfns, n * sizeof(*gfns));
	return op(cmd, FAKE_PUT(r));
}

#define populate(dom, gfns, n, order) reservation(XENMEM_populate_physmap, dom, gfns, n, order)
#define decrease(dom, gfns, n, order) reservation(XENMEM_decrease_reservation, dom, gfns, n, order)

static int64_t add(domid_t dom, uint32_t space, uint64_t idx, uint64_t gpfn, uint16_t size)
{
	struct xen_add_to_physmap a = { .domid = dom, .size = size, .space = space, .idx = idx, .gpfn = gpfn };

	return op(XENMEM_add_to_physmap, FAKE_PUT(a));
}

START_TEST(populate_and_decrease)
{
	uint64_t gfns[4] = { 10, 11, 12, 13 }, big = 512, odd = 513, mixed[3] = { 20, 12, 21 };

	ck_assert_int_eq(populate(g->id, gfns, 4, 0), 4);
	ck_assert_uint_eq(g->tot_pages, 4);
	ck_assert_int_eq(populate(g->id, mixed, 3, 0), 1);      /* 12 is taken */
	ck_assert_int_eq(populate(g->id, &big, 1, 9), 1);
	ck_assert_int_eq(populate(g->id, &odd, 1, 9), 0);       /* not aligned */
	ck_assert_uint_eq(g->tot_pages, 4 + 1 + 512);
	big = 1ull << 45;
	ck_assert_int_eq(populate(g->id, &big, 1, 9), 0);
	ck_assert_int_eq(populate(g->id, gfns, 1, 19), 0);
	ck_assert_int_eq(populate(99, gfns, 1, 0), -ESRCH);
	ck_assert_int_eq(decrease(g->id, gfns, 3, 0), 3);
	ck_assert_int_eq(decrease(g->id, gfns, 4, 0), 0);       /* 10 is a hole now */
	big = 512;
	ck_assert_int_eq(decrease(g->id, &big, 1, 9), 1);
	ck_assert_uint_eq(g->tot_pages, 2);
	ck_assert_uint_eq(fake_counts.invalidates, 2);
	/* Over the limit. */
	ck_assert_int_eq(populate_set_max(g, 3), 0);
	ck_assert_int_eq(populate(g->id, gfns, 3, 0), 1);
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(populate(0, gfns, 1, 0), -EPERM);
	ck_assert_int_eq(decrease(DOMID_SELF, gfns, 1, 0), 1);
	fake_hv_check_leaks();
}
END_TEST

/* While one vCPU populates a block whose last frame is taken, another one moves the block's second frame away. */
static void move_second_frame(gfn_t gfn)
{
	if (gfn.v == 67) {
		fake_map_hook = NULL;
		ck_assert_int_eq(populate_move(g, GFN(65), GFN(100)), 0);
	}
}

START_TEST(frames_moved_while_populating)
{
	uint64_t taken = 67, block = 64;
	struct page *p;

	ck_assert_int_eq(populate(g->id, &taken, 1, 0), 1);
	fake_map_hook = move_second_frame;
	ck_assert_int_eq(populate(g->id, &block, 1, 2), 0);
	/* The frame that was moved is the guest's, and nobody else's; the others are free. */
	ck_assert_int_eq(p2m_get_own_page(g, GFN(100), true, &p), 0);
	ck_assert_uint_eq(p->refs, 2);
	page_put(p);
	ck_assert_uint_eq(g->tot_pages, 2);
	for (uint64_t i = 64; i < 67; i++) {
		ck_assert_int_eq(p2m_lookup(g, GFN(i)).type, P2M_HOLE);
	}
	fake_hv_check_leaks();
}
END_TEST

static void kill_guest(gfn_t gfn)
{
	fake_map_hook = NULL;
	ck_assert_int_eq(domain_destroy(g), 0);
}

START_TEST(destroyed_while_populating)
{
	uint64_t block = 64;

	fake_map_hook = kill_guest;
	ck_assert_int_eq(populate(g->id, &block, 1, 2), 0);
	g = NULL;
	fake_hv_check_leaks();
}
END_TEST

START_TEST(from_32_bits)
{
	struct { uint32_t list, nr, order, flags; uint16_t domid, pad; } r = { .nr = 2, .domid = DOMID_SELF };
	struct { uint16_t domid, size; uint32_t space, idx, gpfn; } a = { DOMID_SELF, 2, XENMAPSPACE_gmfn_range, 30, 60 };
	struct { uint16_t domid, pad; uint32_t gpfn; } m = { DOMID_SELF, 0, 61 };
	uint32_t gfns[2] = { 30, 31 };

	fake_run_on(g->vcpu[0]);
	fake_wide = false;
	r.list = (uint32_t)FAKE_PUT(gfns);
	ck_assert_int_eq(op(XENMEM_populate_physmap, FAKE_PUT(r)), 2);
	ck_assert_int_eq(op(XENMEM_add_to_physmap, FAKE_PUT(a)), 0);
	ck_assert_int_eq(p2m_lookup(g, GFN(61)).type, P2M_RAM);
	ck_assert_int_eq(p2m_lookup(g, GFN(31)).type, P2M_HOLE);
	ck_assert_int_eq(op(XENMEM_remove_from_physmap, FAKE_PUT(m)), 0);
	ck_assert_int_eq(op(XENMEM_remove_from_physmap, FAKE_PUT(m)), -ENOENT);
	ck_assert_uint_eq(g->tot_pages, 1);
	ck_assert_int_eq(op(XENMEM_set_memory_map, FAKE_PUT(m)), -ENOSYS);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(shared_info_page)
{
	uint64_t gfns[2] = { 1, 2 };

	ck_assert_int_eq(populate(g->id, gfns, 2, 0), 2);
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 1, 1, 0), -EINVAL);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 1, 0), 0);
	ck_assert_uint_eq(g->tot_pages, 1);                     /* the RAM there is freed */
	ck_assert_uint_eq(shared_info_gfn(g).v, 1);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 9, 0), 0);
	ck_assert_int_eq(p2m_lookup(g, GFN(1)).type, P2M_HOLE);
	/* RAM over it unhooks it. */
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, 2, 9, 0), 0);
	ck_assert(!gfn_valid(shared_info_gfn(g)));
	ck_assert_int_eq(p2m_lookup(g, GFN(9)).type, P2M_RAM);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 1, 0), 0);
	ck_assert_int_eq(decrease(DOMID_SELF, gfns, 1, 0), 0);  /* it cannot be ballooned out */
	ck_assert_int_eq(add(0, XENMAPSPACE_shared_info, 0, 1, 0), -EPERM);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 1, 0), -ENOSYS);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_dev_mmio, 0, 1, 0), -ENOSYS);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, 500, 1, 0), -EINVAL);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_gmfn, ~0ull, 1, 0), -EINVAL);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_gmfn_range, ~0ull - 1, 1, 8), -EINVAL);
	ck_assert_int_eq(p2m_map(g, GFN(77), MFN(77), 0, P2M_MMIO_DIRECT), 0);
	ck_assert_int_eq(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 77, 0), -EPERM);
	fake_hv_check_leaks();
}
END_TEST

static int64_t foreign(domid_t from, const uint64_t *idxs, const uint64_t *gpfns, int32_t *errs, uint16_t n)
{
	struct xen_add_to_physmap_batch b = { .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = n,
		.u.foreign_domid = from };
	uint64_t p = fake_put(errs, n * sizeof(*errs));
	int64_t rc;

	b.idxs.p = (xen_ulong_t *)fake_put(idxs, n * sizeof(*idxs));
	b.gpfns.p = (xen_pfn_t *)fake_put(gpfns, n * sizeof(*gpfns));
	b.errs.p = (int *)p;
	rc = op(XENMEM_add_to_physmap_batch, FAKE_PUT(b));
	fake_get(p, errs, n * sizeof(*errs));
	return rc;
}

START_TEST(foreign_maps)
{
	uint64_t gfns[2] = { 40, 41 }, idxs[3] = { 40, 99, 41 }, gpfns[3] = { 0x900, 0x901, 0x902 };
	int32_t errs[3] = { 7, 7, 7 };
	struct xen_remove_from_physmap m = { .domid = DOMID_SELF, .gpfn = 0x900 };
	uint64_t before = page_count_free();

	ck_assert_int_eq(populate(g->id, gfns, 2, 0), 2);
	ck_assert_int_eq(foreign(g->id, idxs, gpfns, errs, 3), 0);
	ck_assert_int_eq(errs[0], 0);
	ck_assert_int_eq(errs[1], -EINVAL);                     /* a hole: never ENOENT */
	ck_assert_int_eq(errs[2], 0);
	memcpy(fake_page_at(dom0, GFN(0x900)), "x", 2);
	ck_assert_str_eq(fake_page_at(g, GFN(40)), "x");
	ck_assert_int_eq(foreign(0, idxs, gpfns, errs, 1), -EINVAL);
	ck_assert_int_eq(foreign(9, idxs, gpfns, errs, 1), -ESRCH);
	/* The guest gives the page up: the mapping keeps it, and it counts as the guest's until then. */
	ck_assert_int_eq(decrease(g->id, gfns, 1, 0), 1);
	ck_assert_uint_eq(g->tot_pages, 2);
	ck_assert_str_eq(fake_page_at(dom0, GFN(0x900)), "x");
	ck_assert_int_eq(op(XENMEM_remove_from_physmap, FAKE_PUT(m)), 0);
	ck_assert_int_eq(op(XENMEM_remove_from_physmap, FAKE_PUT(m)), -ENOENT);
	ck_assert_uint_eq(page_count_free(), before - 1);
	ck_assert_uint_eq(g->tot_pages, 1);
	/* A mapping over a mapping drops the first. */
	ck_assert_int_eq(foreign(g->id, idxs + 2, gpfns + 2, errs, 1), 0);
	ck_assert_uint_eq(fake_page_refs(GFN(41), g), 2);
	ck_assert_int_eq(domain_destroy(g), 0);
	ck_assert_int_eq(populate_evict(dom0, GFN(0x902)), 0);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(guests_map_nothing_foreign)
{
	uint64_t idx = 0, gpfn = 5;
	int32_t err = 0;

	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(foreign(0, &idx, &gpfn, &err, 1), -EPERM);
	ck_assert_int_eq(err, 0);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(memory_maps)
{
	struct xen_e820 e[2] = { { 0, 0x9f000, 1 }, { 0x100000, 0x7f00000, 1 } }, got[2];
	struct xen_foreign_memory_map f = { .domid = g->id, .map.nr_entries = 2 };
	struct xen_memory_map m = { .nr_entries = 5 };
	struct { uint32_t nr, buffer; } narrow = { .nr = 1 };
	uint64_t p;

	fake_run_on(g->vcpu[0]);
	m.buffer.p = (void *)fake_put(NULL, sizeof(got) + 100);
	ck_assert_int_eq(op(XENMEM_memory_map, FAKE_PUT(m)), -ENOSYS);
	fake_run_on(dom0->vcpu[0]);
	f.map.buffer.p = (void *)FAKE_PUT(e);
	ck_assert_int_eq(op(XENMEM_set_memory_map, FAKE_PUT(f)), 0);
	f.map.nr_entries = 1025;
	ck_assert_int_eq(op(XENMEM_set_memory_map, FAKE_PUT(f)), -EINVAL);
	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(op(XENMEM_set_memory_map, FAKE_PUT(f)), -EINVAL);
	f.map.nr_entries = 1;
	ck_assert_int_eq(op(XENMEM_set_memory_map, FAKE_PUT(f)), -EPERM);
	p = FAKE_PUT(m);
	ck_assert_int_eq(op(XENMEM_memory_map, p), 0);
	FAKE_GET(p, m);
	ck_assert_uint_eq(m.nr_entries, 2);
	fake_get((uintptr_t)m.buffer.p, got, sizeof(got));
	ck_assert_mem_eq(got, e, sizeof(e));
	fake_wide = false;
	narrow.buffer = (uint32_t)fake_put(NULL, 40);
	p = FAKE_PUT(narrow);
	ck_assert_int_eq(op(XENMEM_memory_map, p), 0);
	fake_get(narrow.buffer, got, 20);
	ck_assert_mem_eq(got, e, 20);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(counts_and_the_rest)
{
	uint64_t gfns[2] = { 40, 41 };
	domid_t id = g->id;
	struct xen_memory_reservation claim = { .nr_extents = 100, .domid = g->id };

	ck_assert_int_eq(populate(g->id, gfns, 2, 0), 2);
	ck_assert_int_eq(op(XENMEM_current_reservation, FAKE_PUT(id)), 2);
	ck_assert_int_eq(op(XENMEM_maximum_reservation, FAKE_PUT(id)), 2048);
	ck_assert_int_eq(op(XENMEM_maximum_gpfn, FAKE_PUT(id)), 41);
	ck_assert_int_eq(op(XENMEM_claim_pages, FAKE_PUT(claim)), 0);
	claim.nr_extents = 1 << 20;
	ck_assert_int_eq(op(XENMEM_claim_pages, FAKE_PUT(claim)), -ENOMEM);
	ck_assert_int_eq(op(XENMEM_machine_memory_map, 0), -ENOSYS);
	ck_assert_int_eq(op(XENMEM_get_sharing_freed_pages, 0), -ENOSYS);
	ck_assert_int_eq(op(XENMEM_get_vnumainfo, 0), -EOPNOTSUPP);
	ck_assert_int_eq(op(77, 0), -ENOSYS);
	ck_assert_int_eq(op(XENMEM_populate_physmap, FAKE_BAD_PTR), -EFAULT);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(without_memory)
{
	uint64_t big = 512, one = 3;
	unsigned int n = 0;
	int64_t rc;

	do {
		fake_fail_nth(++n);
		rc = populate(g->id, &big, 1, 9);
		fake_fail_nth(0);
		ck_assert_uint_eq(g->tot_pages, rc == 1 ? 512 : 0);
	} while (rc == 0);
	ck_assert_uint_gt(n, 2);
	/* A move that finds no page table: the frame is back where it was. */
	ck_assert_int_eq(populate(g->id, &one, 1, 0), 1);
	fake_fail_nth(1);
	ck_assert_int_eq(add(g->id, XENMAPSPACE_gmfn, 3, 0x9000, 0), -ENOMEM);
	fake_fail_nth(0);
	ck_assert_int_eq(p2m_lookup(g, GFN(3)).type, P2M_RAM);
	ck_assert_uint_eq(g->tot_pages, 513);
	fake_hv_check_leaks();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { populate_and_decrease, frames_moved_while_populating,
		destroyed_while_populating, from_32_bits, shared_info_page, foreign_maps,
		guests_map_nothing_foreign, memory_maps, counts_and_the_rest,
		without_memory, NULL };

	return suite_run("memory", setup, tests);
}
