/* guest_copy.c: copies through page tables and frames, across pages, with references and accessed bits. */
#include <errno.h>
#include <string.h>
#include "arch/x86.h"
#include "dom/guest_copy.h"
#include "dom/guest_mem.h"
#include "fake/fake_pages.h"
#include "fake/fake_vcpu.h"
#include "fake/suite.h"

#define GFNS 16

static struct vcpu *const v = &fake_vcpu.v;
static struct domain *const d = &fake_vcpu.d;
static struct page *ram[GFNS];
static bool read_only[GFNS];
static unsigned int gets;

int p2m_get_page(struct domain *dom, gfn_t gfn, bool write, struct page **page)
{
	MUST(dom == d);
	if (gfn.v >= GFNS || ram[gfn.v] == NULL) {
		return -EINVAL;
	}
	if (write && read_only[gfn.v]) {
		return -EPERM;
	}
	gets++;
	*page = ram[gfn.v];
	return page_get(*page) ? 0 : -EINVAL;
}

static bool locked;

void p2m_lock(struct domain *dom)
{
	MUST(dom == d && !locked);
	locked = true;
}

void p2m_unlock(struct domain *dom)
{
	MUST(dom == d && locked);
	locked = false;
}

void *p2m_bytes_locked(struct domain *dom, gpa_t gpa, unsigned int size, bool write)
{
	uint64_t gfn = gpa_to_gfn(gpa).v;

	MUST(dom == d && locked);
	if (gfn >= GFNS || ram[gfn] == NULL || gpa_offset(gpa) + size > PAGE_SIZE || (write && read_only[gfn])) {
		return NULL;
	}
	return (char *)page_virt(ram[gfn]) + gpa_offset(gpa);
}

bool p2m_read_locked(struct domain *dom, gpa_t gpa, void *buf, unsigned int size)
{
	const void *p = p2m_bytes_locked(dom, gpa, size, false);

	if (p == NULL) {
		return false;
	}
	memcpy(buf, p, size);
	return true;
}

bool p2m_write_locked(struct domain *dom, gpa_t gpa, const void *buf, unsigned int size)
{
	void *p = p2m_bytes_locked(dom, gpa, size, true);

	if (p == NULL) {
		return false;
	}
	memcpy(p, buf, size);
	return true;
}

void p2m_set_bits_locked(struct domain *dom, gpa_t gpa, uint64_t old, uint64_t bits, unsigned int size)
{
	void *p = p2m_bytes_locked(dom, gpa, size, true);

	if (p != NULL && memcmp(p, &old, size) == 0) {
		uint64_t new = old | bits;
		memcpy(p, &new, size);
	}
}

static uint64_t *table(unsigned int gfn)
{
	return page_virt(ram[gfn]);
}

/* Frames 1 to 4: tables of four levels; linear pages 10h.. are frames 8.., the last one supervisor-only ROM. */
static void setup(void)
{
	fake_vcpu_reset();
	fake_pages_reset();
	memset(read_only, 0, sizeof(read_only));
	for (unsigned int i = 0; i < GFNS; i++) {
		ram[i] = page_alloc_owned(d, 0);
	}
	table(1)[0] = 0x2007;
	table(2)[0] = 0x3007;
	table(3)[0] = 0x4007;
	for (unsigned int i = 0; i < 8; i++) {
		table(4)[0x10 + i] = (8 + i) << 12 | 7;
	}
	fake_vcpu.sys.cr3 = 0x1000;
	gets = 0;
}

static void all_put(void)
{
	for (unsigned int i = 0; i < GFNS; i++) {
		MUST(ram[i] == NULL || ram[i]->refs == 1);
	}
}

START_TEST(test_linear)
{
	static uint8_t out[0x3000], in[0x3000];

	for (unsigned int i = 0; i < sizeof(out); i++) {
		out[i] = (uint8_t)(i * 7 + i / 256);
	}
	/* Pieces of four pages, whose frames are not neighbours any more. */
	table(4)[0x11] = 14 << 12 | 7;
	ck_assert_int_eq(guest_copy_to(v, 0x10ffd, out, sizeof(out)), 0);
	ck_assert_mem_eq((uint8_t *)page_virt(ram[8]) + 0xffd, out, 3);
	ck_assert_mem_eq(page_virt(ram[14]), out + 3, 0x1000);
	ck_assert_mem_eq(page_virt(ram[10]), out + 0x1003, 0x1000);
	ck_assert_mem_eq(page_virt(ram[11]), out + 0x2003, 0xffd);
	ck_assert_int_eq(guest_copy_from(v, in, 0x10ffd, sizeof(in)), 0);
	ck_assert_mem_eq(in, out, sizeof(in));
	ck_assert_int_eq(guest_copy_from(v, in, ~0ull, 0), 0);
	all_put();
	/* Accessed along the way, dirty where it was written. */
	ck_assert_uint_eq(table(1)[0], 0x2027);
	ck_assert_uint_eq(table(4)[0x11], 14 << 12 | 0x67);
	ck_assert_int_eq(guest_copy_from(v, in, 0x15000, 1), 0);
	ck_assert_uint_eq(table(4)[0x15], 13 << 12 | 0x27);
}
END_TEST

START_TEST(test_linear_fault)
{
	uint8_t buf[32] = "0123456789abcdefghijklmnopqrstu";

	/* The part before the fault is there. */
	table(4)[0x11] = 0;
	ck_assert_int_eq(guest_copy_to(v, 0x10ff0, buf, 32), -EFAULT);
	ck_assert_mem_eq((uint8_t *)page_virt(ram[8]) + 0xff0, buf, 16);
	ck_assert_int_eq(guest_copy_from(v, buf, 0x11000, 1), -EFAULT);
	/* A page that is not mapped in the guest's own tables, not in memory, read-only in either */
	table(4)[0x12] = 0x55555000 | 7;
	ck_assert_int_eq(guest_copy_from(v, buf, 0x12000, 1), -EFAULT);
	table(4)[0x13] = 11 << 12 | 5;
	ck_assert_int_eq(guest_copy_to(v, 0x13000, buf, 1), -EFAULT);
	ck_assert_int_eq(guest_copy_from(v, buf, 0x13000, 1), 0);
	read_only[12] = true;
	ck_assert_int_eq(guest_copy_to(v, 0x14000, buf, 1), -EFAULT);
	ck_assert_int_eq(guest_copy_from(v, buf, 0x14000, 1), 0);
	/* Tables where there is no memory */
	fake_vcpu.sys.cr3 = 0x99000;
	ck_assert_int_eq(guest_copy_from(v, buf, 0x10000, 1), -EFAULT);
	all_put();
}
END_TEST

/* A hypercall buffer of a program, with SMAP on: the guest's kernel vouched for it. */
static void put_number(void *bytes, void *arg)
{
	memcpy(bytes, arg, 8);
}

START_TEST(test_in_place)
{
	uint64_t x = 0x1122334455667788, y = 0;

	ck_assert_int_eq(guest_with_bytes(v, 0x10ff8, 8, put_number, &x), 0);
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10ff8, 8), 0);
	ck_assert_uint_eq(y, x);
	/* Misaligned, across pages, not mapped, read-only */
	ck_assert_int_eq(guest_with_bytes(v, 0x10ffc, 8, put_number, &x), -EFAULT);
	ck_assert_int_eq(guest_with_bytes(v, 0x10ff8, 16, put_number, &x), -EFAULT);
	ck_assert_int_eq(guest_with_bytes(v, 0x50000, 8, put_number, &x), -EFAULT);
	read_only[8] = true;
	ck_assert_int_eq(guest_with_bytes(v, 0x10000, 8, put_number, &x), -EFAULT);
	all_put();
}
END_TEST

START_TEST(test_smap)
{
	uint64_t x = 5;

	fake_vcpu.sys.cr4 |= CR4_SMAP;
	ck_assert_int_eq(guest_copy_to(v, 0x10000, &x, 8), 0);
	ck_assert_int_eq(guest_copy_from(v, &x, 0x10000, 8), 0);
	table(4)[0x10] &= ~4ull;
	ck_assert_int_eq(guest_copy_from(v, &x, 0x10000, 8), 0);
}
END_TEST

START_TEST(test_entries)
{
	struct walk_result r;

	/* Tables that the guest shows read-only to itself get no accessed bits, and work all the same. */
	read_only[4] = true;
	ck_assert_int_eq(guest_translate(v, 0x10123, WALK_WRITE, &r), 0);
	ck_assert_uint_eq(r.gpa.v, 0x8123);
	ck_assert_uint_eq(table(4)[0x10], 0x8007);
	ck_assert_uint_eq(table(3)[0], 0x4027);
	/* 32-bit entries: the neighbour is not touched. */
	fake_vcpu.sys.cr4 = 0;
	fake_vcpu.sys.efer = 0;
	fake_vcpu.sys.cr3 = 0x5000;
	table(5)[0] = 0x1111111000006007ull;
	table(6)[8] = 0x2222222000009007ull;
	ck_assert_int_eq(guest_translate(v, 0x10456, WALK_WRITE, &r), 0);
	ck_assert_uint_eq(r.gpa.v, 0x9456);
	ck_assert_uint_eq(table(5)[0], 0x1111111000006027ull);
	ck_assert_uint_eq(table(6)[8], 0x2222222000009067ull);
	all_put();
}
END_TEST

START_TEST(test_physical)
{
	uint8_t buf[0x1800];

	memset(buf, 0x77, sizeof(buf));
	ck_assert_int_eq(guest_write_phys(d, GPA(0x8c00), buf, sizeof(buf)), 0);
	ck_assert_uint_eq(((uint8_t *)page_virt(ram[8]))[0xbff], 0);
	ck_assert_uint_eq(((uint8_t *)page_virt(ram[8]))[0xc00], 0x77);
	ck_assert_uint_eq(((uint8_t *)page_virt(ram[10]))[0x3ff], 0x77);
	ck_assert_uint_eq(((uint8_t *)page_virt(ram[10]))[0x400], 0);
	memset(buf, 0, sizeof(buf));
	ck_assert_int_eq(guest_read_phys(d, GPA(0x8c00), buf, sizeof(buf)), 0);
	ck_assert_uint_eq(buf[0], 0x77);
	ck_assert_uint_eq(buf[sizeof(buf) - 1], 0x77);
	ck_assert_int_eq(guest_read_phys(d, GPA(0xfff0), buf, 17), -EFAULT);
	ck_assert_int_eq(guest_read_phys(d, GPA(0xfff0), buf, 16), 0);
	read_only[9] = true;
	ck_assert_int_eq(guest_write_phys(d, GPA(0x9000), buf, 1), -EFAULT);
	ck_assert_int_eq(guest_read_phys(d, GPA(~0ull), buf, 1), -EFAULT);
	all_put();
}
END_TEST

/* A walk that was made before is made anew when anything that it depended on has changed. */
START_TEST(test_memo)
{
	uint64_t x = 1, y = 0;

	d->p2m.near_epoch = 1;
	*(uint64_t *)page_virt(ram[8]) = 8;
	*(uint64_t *)page_virt(ram[9]) = 9;
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), 0);
		ck_assert_uint_eq(y, 8);
	}
	/* An entry of the last level, of one above, another root */
	table(4)[0x10] = 9 << 12 | 7;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), 0);
	ck_assert_uint_eq(y, 9);
	ck_assert_uint_eq(table(4)[0x10], 9 << 12 | 0x27);
	memcpy(table(5), table(4), PAGE_SIZE);
	table(5)[0x10] = 8 << 12 | 7;
	table(3)[0] = 0x5007;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), 0);
	ck_assert_uint_eq(y, 8);
	memcpy(table(6), table(1), PAGE_SIZE);
	table(6)[0] = 0;
	fake_vcpu.sys.cr3 = 0x6000;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), -EFAULT);
	fake_vcpu.sys.cr3 = 0x1000;
	/* A read allows no write; a write marks the page once more after the guest has cleared the mark. */
	table(5)[0x10] = 8 << 12 | 5;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), 0);
	ck_assert_int_eq(guest_copy_to(v, 0x10000, &x, 8), -EFAULT);
	table(5)[0x10] = 8 << 12 | 7;
	ck_assert_int_eq(guest_copy_to(v, 0x10000, &x, 8), 0);
	ck_assert_int_eq(guest_copy_to(v, 0x10000, &x, 8), 0);
	table(5)[0x10] = 8 << 12 | 0x27;
	ck_assert_int_eq(guest_copy_to(v, 0x10000, &x, 8), 0);
	ck_assert_uint_eq(table(5)[0x10], 8 << 12 | 0x67);
	/* The same page is a program's, and SMAP comes on, or the access is another's. */
	ck_assert_int_eq(guest_with_bytes(v, 0x10000, 8, put_number, &x), 0);
	fake_vcpu.sys.cr4 |= CR4_SMAP;
	ck_assert_int_eq(guest_with_bytes(v, 0x10000, 8, put_number, &x), -EFAULT);
	fake_vcpu.v.arch.regs.rflags |= RFLAGS_AC;
	ck_assert_int_eq(guest_with_bytes(v, 0x10000, 8, put_number, &x), 0);
	fake_vcpu.v.arch.regs.rflags = 0;
	ck_assert_int_eq(guest_with_bytes(v, 0x10000, 8, put_number, &x), -EFAULT);
	fake_vcpu.sys.cr4 &= ~CR4_SMAP;
	/* The map: another page at the place, then none. */
	struct page *old = ram[8];
	ram[8] = ram[9];
	d->p2m.near_epoch++;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), 0);
	ck_assert_uint_eq(y, 9);
	ram[8] = NULL;
	d->p2m.near_epoch++;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), -EFAULT);
	ram[8] = old;
	all_put();
}
END_TEST

/* 32-bit entries are half as long: such walks are not remembered. */
START_TEST(test_memo_narrow)
{
	uint64_t y = 0;

	d->p2m.near_epoch = 1;
	fake_vcpu.sys.cr4 = 0;
	fake_vcpu.sys.efer = 0;
	fake_vcpu.sys.cr3 = 0x5000;
	table(5)[0] = 0x6027;
	table(6)[8] = 0x9067;
	*(uint64_t *)page_virt(ram[9]) = 9;
	*(uint64_t *)page_virt(ram[10]) = 10;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), 0);
	ck_assert_uint_eq(y, 9);
	table(6)[8] = 0xa067;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x10000, 8), 0);
	ck_assert_uint_eq(y, 10);
	/* Without paging there is nothing to read. */
	fake_vcpu.sys.cr0 &= ~CR0_PG;
	ck_assert_int_eq(guest_copy_from(v, &y, 0x9000, 8), 0);
	ck_assert_uint_eq(y, 9);
	d->p2m.near_epoch++;
	ram[9] = ram[10];
	ck_assert_int_eq(guest_copy_from(v, &y, 0x9000, 8), 0);
	ck_assert_uint_eq(y, 10);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_linear, test_linear_fault, test_in_place, test_smap, test_entries,
				       test_physical, test_memo, test_memo_narrow, NULL };

	return suite_run("guest_copy", setup, tests);
}
