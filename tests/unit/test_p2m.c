/*
 * p2m.c and p2m_tree.c over AMD's entry format: sizes, splitting, replacing, types, references, teardown in steps, and
 * an allocator that fails at every point. After each test nothing may be left allocated.
 */
#include <errno.h>
#include <string.h>
#include "arch/svm/svm.h"
#include "core/percpu.h"
#include "core/smp.h"
#include "dom/domain.h"
#include "dom/p2m.h"
#include "fake/fake_pages.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define ORDER_2M 9u
#define ORDER_1G 18u
#define G(n) GFN(n)

static struct domain dom, other;
static struct p2m *const p = &dom.p2m;
static struct cpu cpu0;
static struct vcpu vcpus[3];
static struct vcpu *vcpu_list[3] = { &vcpus[0], &vcpus[1], &vcpus[2] };
static uint64_t exit_mask;      /* CPUs asked to leave their guests so far */
static unsigned int exits;

struct cpu *hw_cpu_base(void)
{
	return &cpu0;
}

void smp_exit_guests(uint64_t mask)
{
	exit_mask |= mask;
	exits++;
}

static void setup(void)
{
	fake_pages_reset();
	memset(&dom, 0, sizeof(dom));
	memset(vcpus, 0, sizeof(vcpus));
	exit_mask = exits = 0;
	cpu0.id = 2;
	ck_assert_int_eq(p2m_init(p, &svm_npt_format), 0);
	ck_assert_uint_eq(fake_pages.used, 1);
}

/* Everything away; what is left are pages that the test itself holds. */
static void finish(unsigned int held)
{
	int rc;

	do {
		rc = p2m_teardown(&dom, 1000);
	} while (rc == -ERESTART);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(p->leaves[0] | p->leaves[1] | p->leaves[2], 0);
	ck_assert_uint_eq(p->tables, 1);
	p2m_free(p);
	p2m_free(p);
	ck_assert_int_eq(p2m_teardown(&dom, 1), 0);
	ck_assert_uint_eq(fake_pages.used, held);
	ck_assert_uint_eq(fake_pages.locks_held, 0);
}

static void is(uint64_t gfn, uint64_t mfn, enum p2m_type type, unsigned int order)
{
	struct p2m_entry e = p2m_lookup(&dom, G(gfn));

	ck_assert_uint_eq(e.mfn.v, mfn);
	ck_assert_int_eq(e.type, type);
	ck_assert_uint_eq(e.order, order);
}

static void is_hole(uint64_t gfn)
{
	struct p2m_entry e = p2m_lookup(&dom, G(gfn));

	ck_assert(!mfn_valid(e.mfn));
	ck_assert_int_eq(e.type, P2M_HOLE);
}

static void map(uint64_t gfn, uint64_t mfn, unsigned int order, enum p2m_type type)
{
	ck_assert_int_eq(p2m_map(&dom, G(gfn), MFN(mfn), order, type), 0);
}

static struct p2m_entry unmap(uint64_t gfn)
{
	struct p2m_entry old;

	ck_assert_int_eq(p2m_unmap(&dom, G(gfn), &old), 0);
	return old;
}

START_TEST(test_sizes)
{
	is_hole(0);
	is_hole(0x12345);
	map(5, 0x777, 0, P2M_RAM);
	map(0x200, 0x1000, ORDER_2M, P2M_RAM);
	map(0x40000, 0x80000, ORDER_1G, P2M_RAM);
	is(5, 0x777, P2M_RAM, 0);
	is_hole(4);
	is_hole(6);
	is(0x200, 0x1000, P2M_RAM, ORDER_2M);
	is(0x3ff, 0x11ff, P2M_RAM, ORDER_2M);
	is_hole(0x400);
	is(0x40000, 0x80000, P2M_RAM, ORDER_1G);
	is(0x7ffff, 0xbffff, P2M_RAM, ORDER_1G);
	is_hole(0x80000);
	ck_assert_uint_eq(p->leaves[0], 1);
	ck_assert_uint_eq(p->leaves[1], 1);
	ck_assert_uint_eq(p->leaves[2], 1);
	ck_assert_uint_eq(p->max_gfn, 0x7ffff);
	/* root, one table each of levels 3, 2, 1 */
	ck_assert_uint_eq(p->tables, 4);
	ck_assert_uint_eq(fake_pages.used, 4);
	finish(0);
}
END_TEST

START_TEST(test_arguments)
{
	struct p2m_entry old;

	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0), 1, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0), 27, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, G(0x201), MFN(0), ORDER_2M, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, G(0x200), MFN(1), ORDER_2M, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, G(0x200), MFN(0x200), ORDER_1G, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0), 0, P2M_TYPES), -EINVAL);
	/* References are counted by the frame: no large foreign entries. */
	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0), ORDER_2M, P2M_FOREIGN), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0), ORDER_2M, P2M_GRANT_RW), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0), ORDER_1G, P2M_GRANT_RO), -EINVAL);
	/* Four levels reach 2^36 frames. */
	ck_assert_int_eq(p2m_map(&dom, G(1ull << 36), MFN(1), 0, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_map(&dom, GFN_INVALID, MFN(1), 0, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_unmap(&dom, GFN_INVALID, &old), -ENOENT);
	is_hole(~0ull);
	is_hole(1ull << 36);
	map((1ull << 36) - 1, 0x55, 0, P2M_RAM);
	is((1ull << 36) - 1, 0x55, P2M_RAM, 0);
	finish(0);
}
END_TEST

START_TEST(test_exists)
{
	map(0x40000, 0x80000, ORDER_1G, P2M_RAM);
	map(0x200, 0x1000, ORDER_2M, P2M_RAM);
	map(5, 0x777, 0, P2M_RAM);
	uint64_t tables = p->tables;

	ck_assert_int_eq(p2m_map(&dom, G(5), MFN(6), 0, P2M_RAM), -EEXIST);
	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0x200), ORDER_2M, P2M_RAM), -EEXIST);
	ck_assert_int_eq(p2m_map(&dom, G(0), MFN(0x40000), ORDER_1G, P2M_RAM), -EEXIST);
	ck_assert_int_eq(p2m_map(&dom, G(0x200), MFN(0x200), ORDER_2M, P2M_RAM), -EEXIST);
	ck_assert_int_eq(p2m_map(&dom, G(0x40000), MFN(0), ORDER_1G, P2M_RAM), -EEXIST);
	/* Under a larger leaf: refused too, and the leaf stays whole. */
	ck_assert_int_eq(p2m_map(&dom, G(0x234), MFN(6), 0, P2M_RAM), -EEXIST);
	ck_assert_int_eq(p2m_map(&dom, G(0x41234), MFN(6), 0, P2M_RAM), -EEXIST);
	ck_assert_int_eq(p2m_map(&dom, G(0x40200), MFN(0x200), ORDER_2M, P2M_RAM), -EEXIST);
	is(0x41234, 0x81234, P2M_RAM, ORDER_1G);
	is(0x234, 0x1034, P2M_RAM, ORDER_2M);
	is(5, 0x777, P2M_RAM, 0);
	ck_assert_uint_eq(p->tables, tables);
	/* Also what is not present but said to be something. */
	map(7, 0, 0, P2M_MMIO_DM);
	ck_assert_int_eq(p2m_map(&dom, G(7), MFN(6), 0, P2M_RAM), -EEXIST);
	finish(0);
}
END_TEST

START_TEST(test_unmap_splits)
{
	map(0x40000, 0x80000, ORDER_1G, P2M_RAM_RO);
	struct p2m_entry old = unmap(0x40203);

	ck_assert_uint_eq(old.mfn.v, 0x80203);
	ck_assert_int_eq(old.type, P2M_RAM_RO);
	is_hole(0x40203);
	is(0x40202, 0x80202, P2M_RAM_RO, 0);
	is(0x40204, 0x80204, P2M_RAM_RO, 0);
	is(0x403ff, 0x803ff, P2M_RAM_RO, 0);
	is(0x401ff, 0x801ff, P2M_RAM_RO, ORDER_2M);
	is(0x40400, 0x80400, P2M_RAM_RO, ORDER_2M);
	is(0x7ffff, 0xbffff, P2M_RAM_RO, ORDER_2M);
	ck_assert_uint_eq(p->leaves[0], 511);
	ck_assert_uint_eq(p->leaves[1], 511);
	ck_assert_uint_eq(p->leaves[2], 0);
	ck_assert_int_eq(p2m_unmap(&dom, G(0x40203), &old), -ENOENT);
	map(0x40203, 0x99, 0, P2M_RAM);
	is(0x40203, 0x99, P2M_RAM, 0);
	finish(0);
}
END_TEST

START_TEST(test_access_bits)
{
	static const struct {
		enum p2m_type type;
		uint64_t flags;         /* NX, W, P: what the processor enforces */
	} row[] = {
		{ P2M_RAM, 3 }, { P2M_RAM_RO, 1 }, { P2M_MMIO_DIRECT, 1ull << 63 | 3 },
		{ P2M_FOREIGN, 1ull << 63 | 3 }, { P2M_GRANT_RW, 1ull << 63 | 3 },
		{ P2M_GRANT_RO, 1ull << 63 | 1 }, { P2M_SPECIAL, 1ull << 63 | 3 }, { P2M_MMIO_DM, 0 },
	};
	struct page *pg = page_alloc_owned(&other, 0);

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		ck_assert(page_get(pg));
		map(i, page_mfn(pg).v, 0, row[i].type);
		/* root, then entry 0 of three tables */
		uint64_t *t = hpa_virt(p->root);
		for (unsigned int level = 4; level > 1; level--) {
			ck_assert_uint_eq(t[0] & 0x8000000000000087ull, 7);
			t = hpa_virt(HPA(t[0] & 0xffffffffff000ull));
		}
		ck_assert_uint_eq(t[i] & 0x8000000000000003ull, row[i].flags);
		ck_assert_uint_eq(t[i] & 0x84, row[i].flags ? 4 : 0);
		ck_assert_int_eq(p2m_type_access(row[i].type),
				 (row[i].flags & 1 ? P2M_ACC_R : 0) | (row[i].flags & 2 ? P2M_ACC_W : 0) |
				 (row[i].flags && !(row[i].flags >> 63) ? P2M_ACC_X : 0));
		struct p2m_entry old = unmap(i);
		ck_assert_int_eq(old.type, row[i].type);
		page_put(pg);
	}
	ck_assert_int_eq(p2m_type_access(P2M_TYPES), P2M_ACC_NONE);
	ck_assert_int_eq(p2m_type_access(P2M_HOLE), P2M_ACC_NONE);
	page_put(pg);
	finish(0);
}
END_TEST

/* A frame that was a table may be used anew only when no CPU can still walk it. */
static uint64_t gen_at_start;

static void freed(void)
{
	ck_assert_uint_gt(p->gen, gen_at_start);
	ck_assert_uint_eq(exit_mask, 1u << 5);
}

START_TEST(test_empty_tables_go)
{
	struct p2m_entry old;

	map(0x40000, 1, 0, P2M_RAM);
	map(0x40200, 2, 0, P2M_RAM);
	map(0x40201, 3, 0, P2M_MMIO_DM);
	ck_assert_uint_eq(fake_pages.used, 5);
	ck_assert_int_eq(p2m_map(&dom, G(0x40000), MFN(0x200), ORDER_2M, P2M_RAM), -EEXIST);
	/* One vCPU runs on CPU 5, one here, one nowhere. */
	dom.vcpu = vcpu_list;
	dom.max_vcpus = 3;
	vcpus[0].unit = (struct sched_unit){ .state = SCHED_RUNNING, .cpu = 5 };
	vcpus[1].unit = (struct sched_unit){ .state = SCHED_RUNNING, .cpu = 2 };
	vcpus[2].unit = (struct sched_unit){ .state = SCHED_RUNNABLE, .cpu = 6 };
	gen_at_start = p->gen;
	fake_pages.on_free = freed;
	unmap(0x40000);
	ck_assert_uint_eq(fake_pages.used, 4);
	ck_assert_uint_eq(p->tables, 4);
	map(0x40000, 0x200, ORDER_2M, P2M_RAM);
	is(0x401ff, 0x3ff, P2M_RAM, ORDER_2M);
	/* An entry without a frame is one as well. */
	unmap(0x40200);
	ck_assert_uint_eq(fake_pages.used, 4);
	unmap(0x40201);
	ck_assert_uint_eq(fake_pages.used, 3);
	ck_assert_int_eq(p2m_map(&dom, G(0x40000), MFN(0x40000), ORDER_1G, P2M_RAM), -EEXIST);
	fake_pages.on_free = NULL;
	for (uint64_t i = 0; i < 512; i++) {
		ck_assert_int_eq(p2m_unmap(&dom, G(0x40000 + i), &old), 0);
	}
	/* All the way up, but for the root. */
	ck_assert_uint_eq(fake_pages.used, 1);
	map(0x40000, 0x40000, ORDER_1G, P2M_RAM);
	is(0x7ffff, 0x7ffff, P2M_RAM, ORDER_1G);
	ck_assert_uint_eq(fake_pages.used, 2);
	finish(0);
}
END_TEST

START_TEST(test_retire)
{
	dom.vcpu = vcpu_list;
	dom.max_vcpus = 3;
	vcpus[0].unit = (struct sched_unit){ .state = SCHED_RUNNING, .cpu = 5 };
	vcpus[1].unit = (struct sched_unit){ .state = SCHED_RUNNING, .cpu = 2 };
	vcpus[2].unit = (struct sched_unit){ .state = SCHED_RUNNABLE, .cpu = 6 };
	uint64_t gen = p->gen;

	/* A hole was never cached: nothing to flush when it fills. */
	map(1, 1, 0, P2M_RAM);
	ck_assert_uint_eq(p->gen, gen);
	ck_assert_uint_eq(exits, 0);
	ck_assert_int_eq(p2m_set_type(&dom, G(1), P2M_RAM, P2M_RAM_RO), 0);
	ck_assert_uint_eq(p->gen, gen + 1);
	ck_assert_uint_eq(exit_mask, 1u << 5);
	exit_mask = 0;
	unmap(1);
	ck_assert_uint_eq(p->gen, gen + 2);
	ck_assert_uint_eq(exit_mask, 1u << 5);
	/* Nobody runs elsewhere: nobody is disturbed. */
	vcpus[0].unit.state = SCHED_BLOCKED;
	exits = 0;
	map(1, 1, 0, P2M_RAM);
	unmap(1);
	ck_assert_uint_eq(exits, 0);
	vcpu_list[1] = NULL;
	map(1, 1, 0, P2M_RAM);
	unmap(1);
	vcpu_list[1] = &vcpus[1];
	finish(0);
}
END_TEST

START_TEST(test_set_type)
{
	map(0x200, 0x1000, ORDER_2M, P2M_RAM);
	map(5, 0x777, 0, P2M_MMIO_DIRECT);
	ck_assert_int_eq(p2m_set_type(&dom, G(5), P2M_MMIO_DIRECT, P2M_RAM), -EINVAL);
	ck_assert_int_eq(p2m_set_type(&dom, G(5), P2M_RAM, P2M_RAM_RO), -EINVAL);
	ck_assert_int_eq(p2m_set_type(&dom, G(6), P2M_RAM, P2M_RAM_RO), -EINVAL);
	ck_assert_int_eq(p2m_set_type(&dom, G(0x200), P2M_RAM, P2M_FOREIGN), -EINVAL);
	ck_assert_int_eq(p2m_set_type(&dom, G(0x200), P2M_RAM_RO, P2M_RAM), -EINVAL);
	is(0x201, 0x1001, P2M_RAM, ORDER_2M);
	ck_assert_int_eq(p2m_set_type(&dom, G(0x201), P2M_RAM, P2M_RAM_RO), 0);
	is(0x201, 0x1001, P2M_RAM_RO, 0);
	is(0x200, 0x1000, P2M_RAM, 0);
	is(0x202, 0x1002, P2M_RAM, 0);
	ck_assert_int_eq(p2m_set_type(&dom, G(0x201), P2M_RAM_RO, P2M_RAM), 0);
	is(0x201, 0x1001, P2M_RAM, 0);
	ck_assert_uint_eq(p->leaves[0], 513);
	finish(0);
}
END_TEST

START_TEST(test_get_page)
{
	struct page *own = page_alloc_owned(&dom, 0), *foreign = page_alloc_owned(&other, 0), *got = NULL;

	map(0, page_mfn(own).v, 0, P2M_RAM);
	map(1, page_mfn(own).v, 0, P2M_RAM_RO);
	ck_assert(page_get(foreign) && page_get(foreign) && page_get(foreign));
	map(2, page_mfn(foreign).v, 0, P2M_FOREIGN);
	map(3, page_mfn(foreign).v, 0, P2M_GRANT_RW);
	map(4, page_mfn(foreign).v, 0, P2M_GRANT_RO);
	map(5, page_mfn(own).v, 0, P2M_SPECIAL);
	map(6, 0xfee00, 0, P2M_MMIO_DIRECT);
	map(7, page_mfn(foreign).v, 0, P2M_RAM);
	static const int may_read[8] = { 0, 0, 0, 0, 0, 0, -EINVAL, -EINVAL };
	static const int may_write[8] = { 0, -EPERM, 0, 0, -EPERM, 0, -EINVAL, -EINVAL };
	for (unsigned int i = 0; i < 8; i++) {
		for (unsigned int write = 0; write < 2; write++) {
			uint32_t before = own->refs + foreign->refs;
			int want = write ? may_write[i] : may_read[i];
			ck_assert_int_eq(p2m_get_page(&dom, G(i), write, &got), want);
			ck_assert_uint_eq(own->refs + foreign->refs, before + (want == 0));
			if (want == 0) {
				ck_assert_ptr_eq(got, i >= 2 && i <= 4 ? foreign : own);
				page_put(got);
			}
			want = i < 2 ? want : -EINVAL;
			ck_assert_int_eq(p2m_get_own_page(&dom, G(i), write, &got), want);
			if (want == 0) {
				page_put(got);
			}
		}
	}
	ck_assert_int_eq(p2m_get_page(&dom, G(8), false, &got), -EINVAL);
	page_put(own);
	page_put(foreign);
	finish(0);
	ck_assert_uint_eq(fake_pages.owner_gone, 2);
}
END_TEST

START_TEST(test_get_page_in_large)
{
	struct page *block = page_alloc_owned(&dom, ORDER_2M), *got;

	/* The arena's first frame is not aligned to 2 MiB of machine memory: a leaf of 2 MiB cannot say it. */
	for (unsigned int i = 0; i < 512; i++) {
		map(i, page_mfn(block).v + i, 0, P2M_RAM);
	}
	ck_assert_int_eq(p2m_get_page(&dom, G(17), true, &got), 0);
	ck_assert_ptr_eq(got, block + 17);
	page_put(got);
	for (unsigned int i = 0; i < 512; i++) {
		page_put(block + i);
	}
	finish(0);
}
END_TEST

START_TEST(test_read)
{
	struct page *own = page_alloc_owned(&dom, 0);
	uint64_t v = 0;

	memcpy((char *)page_virt(own) + 0xff8, "abcdefgh", 8);
	map(3, page_mfn(own).v, 0, P2M_RAM_RO);
	map(4, 0xfee00, 0, P2M_MMIO_DIRECT);
	map(5, 0, 0, P2M_MMIO_DM);
	ck_assert(p2m_read(&dom, GPA(0x3ff8), &v, 8));
	ck_assert(memcmp(&v, "abcdefgh", 8) == 0);
	ck_assert(p2m_read(&dom, GPA(0x3ffc), &v, 4));
	ck_assert(memcmp(&v, "efghefgh", 8) == 0);
	/* Never past the page, nor what is not memory. */
	ck_assert(!p2m_read(&dom, GPA(0x3ffc), &v, 8));
	ck_assert(!p2m_read(&dom, GPA(0x4000), &v, 8));
	ck_assert(!p2m_read(&dom, GPA(0x5000), &v, 8));
	ck_assert(!p2m_read(&dom, GPA(0x6000), &v, 8));
	ck_assert(!p2m_read(&dom, GPA(~0xfffull), &v, 8));
	page_put(own);
	finish(0);
}
END_TEST

START_TEST(test_references)
{
	struct page *foreign = page_alloc_owned(&other, 0);

	/* The map takes over the caller's reference; unmapping hands it back. */
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert(page_get(foreign));
		map(i, page_mfn(foreign).v, 0, i & 1 ? P2M_FOREIGN : P2M_GRANT_RO);
	}
	ck_assert_uint_eq(foreign->refs, 5);
	struct p2m_entry old = unmap(1);
	ck_assert_ptr_eq(mfn_page(old.mfn), foreign);
	ck_assert_uint_eq(foreign->refs, 5);
	page_put(foreign);
	/* RAM and special entries hold none. */
	map(8, page_mfn(foreign).v, 0, P2M_RAM);
	map(9, page_mfn(foreign).v, 0, P2M_SPECIAL);
	page_put(foreign);
	ck_assert_uint_eq(foreign->refs, 3);
	finish(0);
	ck_assert_uint_eq(fake_pages.owner_gone, 1);
}
END_TEST

START_TEST(test_teardown_budget)
{
	struct page *foreign = page_alloc_owned(&other, 0);
	unsigned int steps = 0;

	for (unsigned int i = 0; i < 10; i++) {
		ck_assert(page_get(foreign));
		map(i * 0x12345, page_mfn(foreign).v, 0, P2M_FOREIGN);
	}
	map(0x200, 0x1000, ORDER_2M, P2M_RAM);
	map(0x7, 0, 0, P2M_MMIO_DM);
	while (p2m_teardown(&dom, 1) == -ERESTART) {
		steps++;
		/* Each step gives up one entry and says so. */
		unsigned int left = steps < 12 ? 12 - steps : 0;
		ck_assert_uint_ge(left + 1, foreign->refs - 1);
		ck_assert_uint_lt(steps, 20);
	}
	ck_assert_uint_ge(steps, 11);
	ck_assert_uint_eq(foreign->refs, 1);
	page_put(foreign);
	ck_assert_int_eq(p2m_teardown(&dom, 0), 0);
	/* Who comes late, from a call that began before, leaves nothing behind. */
	ck_assert_int_eq(p2m_map(&dom, G(0x7), MFN(1), 0, P2M_RAM), -EINVAL);
	finish(0);
}
END_TEST

/* A guest that puts what it has wherever it costs tables, which are nobody's but the machine's. */
START_TEST(test_table_limit)
{
	struct p2m_entry old;
	uint64_t gfn = 0;
	int rc;

	p2m_set_limit(&dom, 12800);
	do {
		gfn += 1 << 18;
		rc = p2m_map(&dom, G(gfn), MFN(3), 0, P2M_RAM);
	} while (rc == 0);
	ck_assert_int_eq(rc, -ENOMEM);
	/* Two tables for each place, and one more for every 512 of them. */
	ck_assert_uint_ge(gfn >> 18, 170);
	ck_assert_uint_le(p->tables, 256 + 100);
	/* What is there can be taken out, which makes room. */
	ck_assert_int_eq(p2m_unmap(&dom, G(1 << 18), &old), 0);
	map(gfn, 3, 0, P2M_RAM);
	finish(0);
}
END_TEST

/* A fixed script of changes, each of which may run out of memory; the model says what must hold then. */
#define MODEL_GFNS 0x80000u
struct step {
	enum { MAP, UNMAP, SET } what;
	uint64_t gfn, mfn;
	unsigned int order;
	enum p2m_type type;
};

static const struct step script[] = {
	{ MAP, 0x1, 0x11, 0, P2M_RAM },
	{ MAP, 0x200, 0x1000, ORDER_2M, P2M_RAM },
	{ MAP, 0x40000, 0x80000, ORDER_1G, P2M_RAM },
	{ UNMAP, 0x40203, 0, 0, 0 },
	{ SET, 0x205, 0, 0, P2M_RAM_RO },
	{ MAP, 0x400, 0, ORDER_2M, P2M_MMIO_DM },
	{ UNMAP, 0x410, 0, 0, 0 },
	{ SET, 0x60000, 0, 0, P2M_RAM_RO },
	{ UNMAP, 0x1, 0, 0, 0 },
	{ MAP, 0x0, 0x200, ORDER_2M, P2M_RAM },
	{ MAP, 0x3ffffffff, 0x5, 0, P2M_RAM },
};

static int run_step(const struct step *s)
{
	struct p2m_entry old;

	switch (s->what) {
	case MAP:
		return p2m_map(&dom, G(s->gfn), MFN(s->mfn), s->order, s->type);
	case UNMAP:
		return p2m_unmap(&dom, G(s->gfn), &old);
	default:
		return p2m_set_type(&dom, G(s->gfn), P2M_RAM, s->type);
	}
}

/* What the guest sees, at the places where the script does something, and their neighbours. */
static void picture(struct p2m_entry *e)
{
	static const uint64_t at[] = { 0, 1, 2, 0x1ff, 0x200, 0x204, 0x205, 0x206, 0x3ff, 0x400, 0x40f, 0x410,
		0x411, 0x5ff, 0x600, 0x40000, 0x40202, 0x40203, 0x40204, 0x40400, 0x5ffff, 0x60000, 0x60001,
		0x7ffff, 0x80000, 0x3fffffffe, 0x3ffffffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		e[i] = p2m_lookup(&dom, G(at[i]));
		e[i].order = 0;         /* how it is cut into leaves may change */
	}
}

START_TEST(test_no_memory)
{
	struct p2m_entry before[32], after[32];
	unsigned int failed = 0;

	memset(before, 0, sizeof(before));
	memset(after, 0, sizeof(after));
	for (unsigned int n = 2; n < 40; n++) {
		setup();
		fake_pages.fail_at = n;
		for (unsigned int i = 0; i < ARRAY_SIZE(script); i++) {
			picture(before);
			int rc = run_step(&script[i]);
			if (rc == -ENOMEM) {
				failed++;
				picture(after);
				ck_assert_mem_eq(before, after, sizeof(before));
				/* With memory the same call works. */
				fake_pages.fail_at = 0;
				rc = run_step(&script[i]);
				fake_pages.fail_at = fake_pages.allocs + n;
			}
			ck_assert_int_eq(rc, 0);
			ck_assert_uint_eq(p->tables, fake_pages.used);
		}
		fake_pages.fail_at = 0;
		finish(0);
	}
	ck_assert_uint_gt(failed, 10);
	fake_pages_reset();
	fake_pages.fail_at = 1;
	ck_assert_int_eq(p2m_init(p, &svm_npt_format), -ENOMEM);
}
END_TEST

/* Random changes against an array. */
#define WINDOW 2048u
static struct {
	uint64_t mfn;
	enum p2m_type type;
} model[WINDOW];

static bool model_free(uint64_t gfn, unsigned int order)
{
	for (uint64_t i = 0; i < BIT(order); i++) {
		if (model[gfn + i].type != P2M_HOLE) {
			return false;
		}
	}
	return true;
}

static void random_step(struct rnd *r)
{
	static const enum p2m_type types[] = { P2M_RAM, P2M_RAM_RO, P2M_MMIO_DM, P2M_MMIO_DIRECT };
	unsigned int order = rnd_below(r, 4) == 0 ? ORDER_2M : 0;
	uint64_t gfn = ALIGN_DOWN(rnd_below(r, WINDOW), BIT(order));
	enum p2m_type type = types[rnd_below(r, 4)];
	struct p2m_entry old;

	if (rnd_below(r, 3) != 0) {
		uint64_t mfn = ALIGN_DOWN(rnd_below(r, 1u << 20), BIT(order));
		int rc = p2m_map(&dom, G(gfn), MFN(mfn), order, type);
		ck_assert_int_eq(rc, model_free(gfn, order) ? 0 : -EEXIST);
		for (uint64_t i = 0; rc == 0 && i < BIT(order); i++) {
			model[gfn + i].mfn = type == P2M_MMIO_DM ? ~0ull : mfn + i;
			model[gfn + i].type = type;
		}
		return;
	}
	/* Take a stretch out, so that large leaves find room again. */
	for (uint64_t i = 0; i < BIT(order); i++) {
		int rc = p2m_unmap(&dom, G(gfn + i), &old);
		MUST(rc == (model[gfn + i].type == P2M_HOLE ? -ENOENT : 0));
		MUST(old.type == model[gfn + i].type);
		model[gfn + i].mfn = ~0ull;
		model[gfn + i].type = P2M_HOLE;
	}
}

START_TEST(test_random)
{
	struct rnd r = { 99 };

	for (unsigned int i = 0; i < WINDOW; i++) {
		model[i].mfn = ~0ull;
		model[i].type = P2M_HOLE;
	}
	for (unsigned int n = 0; n < 2000; n++) {
		random_step(&r);
		for (unsigned int k = 0; k < 16; k++) {
			uint64_t gfn = rnd_below(&r, WINDOW);
			struct p2m_entry e = p2m_lookup(&dom, G(gfn));
			MUST(e.mfn.v == model[gfn].mfn && e.type == model[gfn].type);
		}
		MUST(p->tables == fake_pages.used);
	}
	finish(0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_sizes, test_arguments, test_exists, test_unmap_splits, test_access_bits,
		test_empty_tables_go, test_retire, test_set_type, test_get_page, test_get_page_in_large,
		test_read, test_references, test_teardown_budget, test_table_limit, test_no_memory, test_random, NULL };

	return suite_run("p2m", setup, tests);
}
