/* Grant tables: set-up and growth, map, unmap and copy with every status code, and what outlives the granter. */
#include <stdint.h>
#include <string.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include "dom/grant.h"
#include "dom/populate.h"
#include "fake/fake_hv.h"
#include "fake/suite.h"

static struct domain *g;
static struct grant_entry_v1 *table;            /* g's first frame */

static int64_t op(uint32_t cmd, uint64_t ptr, uint64_t count)
{
	return fake_call(__HYPERVISOR_grant_table_op, cmd, ptr, count);
}

static void setup(void)
{
	struct page *page;

	fake_hv_reset(1);
	g = fake_guest(1, 64);
	for (uint64_t i = 0; i < 16; i++) {
		ck_assert_int_eq(populate_add(g, GFN(i), 0), 0);
	}
	ck_assert_int_eq(grant_get_frame(g, 0, &page), 0);
	table = page_virt(page);
	page_put(page);
	fake_run_on(dom0->vcpu[0]);
}

static void grant_to(grant_ref_t ref, domid_t id, uint32_t frame, uint16_t flags)
{
	table[ref] = (struct grant_entry_v1){ .flags = GTF_permit_access | flags, .domid = id, .frame = frame };
}

static int16_t map_flags(grant_ref_t ref, domid_t dom, uint64_t gfn, uint32_t flags, grant_handle_t *handle)
{
	struct gnttab_map_grant_ref m = { .host_addr = gfn << 12, .flags = flags, .ref = ref, .dom = dom };
	uint64_t p = FAKE_PUT(m);

	ck_assert_int_eq(op(GNTTABOP_map_grant_ref, p, 1), 0);
	FAKE_GET(p, m);
	if (handle != NULL) {
		*handle = m.handle;
	}
	return m.status;
}

static int16_t map(grant_ref_t ref, uint64_t gfn, bool readonly, grant_handle_t *handle)
{
	return map_flags(ref, g->id, gfn, GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0), handle);
}

static int16_t unmap(grant_handle_t handle, uint64_t host_addr)
{
	struct gnttab_unmap_grant_ref u = { .host_addr = host_addr, .handle = handle };
	uint64_t p = FAKE_PUT(u);

	ck_assert_int_eq(op(GNTTABOP_unmap_grant_ref, p, 1), 0);
	FAKE_GET(p, u);
	return u.status;
}

START_TEST(map_and_unmap)
{
	grant_handle_t h, h2;

	grant_to(8, 0, 3, 0);
	memcpy(fake_page_at(g, GFN(3)), "hello", 6);
	ck_assert_int_eq(map(8, 0x800, false, &h), GNTST_okay);
	ck_assert_str_eq(fake_page_at(dom0, GFN(0x800)), "hello");
	ck_assert_uint_eq(table[8].flags, GTF_permit_access | GTF_reading | GTF_writing);
	ck_assert_uint_eq(fake_page_refs(GFN(3), g), 3);
	ck_assert_int_eq(p2m_lookup(dom0, GFN(0x800)).type, P2M_GRANT_RW);
	/* A second, read-only use: the writing bit goes with the writer. */
	ck_assert_int_eq(map(8, 0x801, true, &h2), GNTST_okay);
	ck_assert_uint_ne(h, h2);
	ck_assert_int_eq(unmap(h, 0x801ull << 12), GNTST_bad_virt_addr);
	ck_assert_int_eq(unmap(h, 0x800ull << 12), GNTST_okay);
	ck_assert_uint_eq(table[8].flags, GTF_permit_access | GTF_reading);
	ck_assert_int_eq(p2m_lookup(dom0, GFN(0x800)).type, P2M_HOLE);
	ck_assert_int_eq(unmap(h, 0), GNTST_bad_handle);
	ck_assert_int_eq(unmap(h2, 0), GNTST_okay);
	ck_assert_uint_eq(table[8].flags, GTF_permit_access);
	ck_assert_uint_eq(fake_page_refs(GFN(3), g), 1);
	ck_assert_int_eq(unmap(123456, 0), GNTST_bad_handle);
	fake_hv_check_leaks();
}
END_TEST

/* A frame that is given up while it is mapped, be it by the guest itself, goes on counting. */
START_TEST(no_more_memory_through_grants)
{
	uint64_t before = g->tot_pages;
	grant_handle_t h;

	grant_to(8, 0, 3, 0);
	ck_assert_int_eq(populate_set_max(g, before), 0);
	ck_assert_int_eq(map(8, 0x800, false, &h), GNTST_okay);
	ck_assert_int_eq(populate_remove(g, GFN(3)), 0);
	ck_assert_uint_eq(g->tot_pages, before);
	ck_assert_int_eq(populate_add(g, GFN(3), 0), -ENOMEM);
	ck_assert_int_eq(unmap(h, 0), GNTST_okay);
	ck_assert_uint_eq(g->tot_pages, before - 1);
	ck_assert_int_eq(populate_add(g, GFN(3), 0), 0);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(map_refused)
{
	grant_to(8, 0, 3, 0);
	grant_to(9, 7, 3, 0);
	grant_to(10, 0, 3, GTF_readonly);
	grant_to(11, 0, 1000, 0);
	ck_assert_int_eq(map_flags(8, 99, 0x800, GNTMAP_host_map, NULL), GNTST_bad_domain);
	ck_assert_int_eq(map_flags(8, g->id, 0x800, GNTMAP_host_map | GNTMAP_device_map, NULL), GNTST_general_error);
	ck_assert_int_eq(map_flags(8, g->id, 0x800, GNTMAP_readonly, NULL), GNTST_general_error);
	ck_assert_int_eq(map(7, 0x800, false, NULL), GNTST_general_error);      /* not granted */
	ck_assert_int_eq(map(9, 0x800, false, NULL), GNTST_permission_denied);
	ck_assert_int_eq(map(10, 0x800, false, NULL), GNTST_general_error);
	ck_assert_int_eq(map(11, 0x800, false, NULL), GNTST_bad_page);
	ck_assert_uint_eq(table[11].flags, GTF_permit_access);
	ck_assert_int_eq(map(512, 0x800, false, NULL), GNTST_bad_gntref);       /* no second frame yet */
	ck_assert_int_eq(map(10, 0x800, true, NULL), GNTST_okay);
	/* Not over the machine's own addresses; what was marked is taken back. */
	ck_assert_int_eq(p2m_map(dom0, GFN(0xfee00), MFN(0xfee00), 0, P2M_MMIO_DIRECT), 0);
	ck_assert_int_eq(map(8, 0xfee00, false, NULL), GNTST_general_error);
	ck_assert_uint_eq(table[8].flags, GTF_permit_access);
	ck_assert_int_eq(op(GNTTABOP_map_grant_ref, FAKE_BAD_PTR, 1), -EFAULT);
	ck_assert_int_eq(op(GNTTABOP_map_grant_ref, 0, ~0ull), -EINVAL);
	ck_assert_int_eq(op(GNTTABOP_transfer, 0, 0), -ENOSYS);
	ck_assert_int_eq(unmap(0, 0), GNTST_okay);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(foreign_pages_are_not_granted)
{
	struct domain *h = fake_guest(1, 16);
	struct page *page;
	grant_handle_t handle;

	/* g maps a page of h and grants that: refused. */
	ck_assert_int_eq(populate_add(h, GFN(0), 0), 0);
	ck_assert_int_eq(p2m_get_own_page(h, GFN(0), true, &page), 0);
	ck_assert_int_eq(populate_show(g, GFN(50), page, P2M_FOREIGN), 0);
	grant_to(8, 0, 50, 0);
	ck_assert_int_eq(map(8, 0x800, false, &handle), GNTST_bad_page);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(granter_dies)
{
	grant_handle_t h;
	uint64_t free_pages;

	grant_to(8, 0, 3, 0);
	memcpy(fake_page_at(g, GFN(3)), "alive", 6);
	ck_assert_int_eq(map(8, 0x800, false, &h), GNTST_okay);
	free_pages = page_count_free();
	ck_assert_int_eq(domain_destroy(g), 0);
	ck_assert_ptr_null(domain_get(g->id));
	/* All pages but the mapped one are back; that one is still ours. */
	ck_assert_uint_eq(page_count_free(), free_pages + 16 - 1 + 1 /* shared info */ + 1 /* grant frame */);
	ck_assert_str_eq(fake_page_at(dom0, GFN(0x800)), "alive");
	ck_assert_int_eq(unmap(h, 0x800ull << 12), GNTST_okay);
	ck_assert_uint_eq(page_count_free(), free_pages + 16 + 2);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(mapper_dies)
{
	struct domain *h = fake_guest(1, 16);
	grant_handle_t handle;
	mfn_t mfn;

	grant_to(8, h->id, 3, 0);
	ck_assert_int_eq(grant_map(h, g, 8, GFN(0x800), false, &handle, &mfn), GNTST_okay);
	ck_assert_int_eq(domain_destroy(h), 0);
	ck_assert_uint_eq(table[8].flags, GTF_permit_access);
	ck_assert_uint_eq(fake_page_refs(GFN(3), g), 1);
	fake_hv_check_leaks();
}
END_TEST

static int16_t copy(struct gnttab_copy c)
{
	uint64_t p = FAKE_PUT(c);

	ck_assert_int_eq(op(GNTTABOP_copy, p, 1), 0);
	FAKE_GET(p, c);
	return c.status;
}

START_TEST(copies)
{
	struct gnttab_copy c = {
		.source = { .u.ref = 8, .domid = g->id, .offset = 4 }, .dest = { .u.gmfn = 5, .domid = DOMID_SELF },
		.len = 8, .flags = GNTCOPY_source_gref
	};

	grant_to(8, 0, 3, GTF_readonly);
	memcpy(fake_page_at(g, GFN(3)), "0123456789ab", 13);
	ck_assert_int_eq(populate_add(dom0, GFN(5), 0), 0);
	ck_assert_int_eq(copy(c), GNTST_okay);
	ck_assert_mem_eq(fake_page_at(dom0, GFN(5)), "456789ab", 8);
	ck_assert_uint_eq(table[8].flags, GTF_permit_access | GTF_readonly);
	c.source.offset = 4090;
	ck_assert_int_eq(copy(c), GNTST_bad_copy_arg);
	c.source.offset = 0;
	c.dest.u.gmfn = 6;
	ck_assert_int_eq(copy(c), GNTST_bad_page);
	c.dest.domid = g->id;
	ck_assert_int_eq(copy(c), GNTST_permission_denied);
	c.source.domid = 99;
	c.dest.domid = DOMID_SELF;
	ck_assert_int_eq(copy(c), GNTST_bad_domain);
	/* Into a read-only grant. */
	c = (struct gnttab_copy){ .source = { .u.gmfn = 5, .domid = DOMID_SELF },
		.dest = { .u.ref = 8, .domid = g->id }, .len = 1, .flags = GNTCOPY_dest_gref };
	ck_assert_int_eq(copy(c), GNTST_general_error);
	ck_assert_int_eq(populate_remove(dom0, GFN(5)), 0);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(table_growth)
{
	struct gnttab_query_size q = { .dom = DOMID_SELF };
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table };
	struct gnttab_set_version v = { .version = 1 };
	uint64_t p = FAKE_PUT(q);

	fake_run_on(g->vcpu[0]);
	ck_assert_int_eq(op(GNTTABOP_query_size, p, 1), 0);
	FAKE_GET(p, q);
	ck_assert_int_eq(q.status, GNTST_okay);
	ck_assert_uint_eq(q.nr_frames, 1);
	ck_assert_uint_eq(q.max_nr_frames, 4);
	/* The highest index first, over RAM. */
	for (uint64_t i = 4; i-- > 0;) {
		a.idx = i;
		a.gpfn = 8 + i;
		ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, FAKE_PUT(a), 0), 0);
	}
	ck_assert_uint_eq(g->tot_pages, 12);
	ck_assert_ptr_eq(fake_page_at(g, GFN(8)), table);
	/* Moved: gone from the old place. */
	a.idx = 0;
	a.gpfn = 100;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, FAKE_PUT(a), 0), 0);
	ck_assert_int_eq(p2m_lookup(g, GFN(8)).type, P2M_HOLE);
	ck_assert_uint_eq(grant_frame_gfn(g, 0).v, 100);
	a.idx = 4;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, FAKE_PUT(a), 0), -EINVAL);
	a.idx = XENMAPIDX_grant_table_status;
	ck_assert_int_eq(fake_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, FAKE_PUT(a), 0), -EINVAL);
	ck_assert_int_eq(op(GNTTABOP_set_version, FAKE_PUT(v), 1), 0);
	v.version = 2;
	ck_assert_int_eq(op(GNTTABOP_set_version, FAKE_PUT(v), 1), -ENOSYS);
	v.version = 3;
	ck_assert_int_eq(op(GNTTABOP_set_version, FAKE_PUT(v), 1), -EINVAL);
	/* Others are not a guest's business. */
	q.dom = 0;
	p = FAKE_PUT(q);
	ck_assert_int_eq(op(GNTTABOP_query_size, p, 1), 0);
	FAKE_GET(p, q);
	ck_assert_int_eq(q.status, GNTST_permission_denied);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(handles_run_out)
{
	struct domain *h = fake_guest(1, 16);
	grant_handle_t handle;
	mfn_t mfn;
	unsigned int n = 0;

	/* One frame of map tracking: 256 handles. */
	grant_to(8, h->id, 3, 0);
	while (grant_map(h, g, 8, GFN(0x1000 + n), true, &handle, &mfn) == GNTST_okay) {
		n++;
	}
	ck_assert_uint_eq(n, 256);
	ck_assert_int_eq(grant_map(h, g, 8, GFN(0x900), true, &handle, &mfn), GNTST_no_space);
	ck_assert_int_eq(grant_unmap(h, 17, GFN_INVALID), GNTST_okay);
	ck_assert_int_eq(grant_map(h, g, 8, GFN(0x900), true, &handle, &mfn), GNTST_okay);
	ck_assert_uint_eq(handle, 17);
	fake_hv_check_leaks();
}
END_TEST

START_TEST(map_without_memory)
{
	grant_handle_t h = 0;
	unsigned int n = 0;
	int16_t status;

	grant_to(8, 0, 3, 0);
	do {
		fake_fail_nth(++n);
		status = map(8, 0x800, false, &h);
		fake_fail_nth(0);
		ck_assert(status == GNTST_okay || status == GNTST_no_space || status == GNTST_no_device_space);
		if (status != GNTST_okay) {
			ck_assert_uint_eq(table[8].flags, GTF_permit_access);
			ck_assert_uint_eq(fake_page_refs(GFN(3), g), 1);
		}
	} while (status != GNTST_okay);
	ck_assert_uint_gt(n, 2);
	ck_assert_int_eq(unmap(h, 0), GNTST_okay);
	fake_hv_check_leaks();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { map_and_unmap, no_more_memory_through_grants, map_refused,
		foreign_pages_are_not_granted, granter_dies,
		mapper_dies, copies, table_growth, handles_run_out,
		map_without_memory, NULL };

	return suite_run("grant", setup, tests);
}
