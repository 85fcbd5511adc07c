/*
 * guest_walk.c: every paging mode, permissions against the manual's rules written down a second time, error codes,
 * accessed and dirty bits, reserved bits, tables where there is no memory.
 */
#include <errno.h>
#include <string.h>
#include "arch/x86.h"
#include "dom/guest_walk.h"
#include "fake/suite.h"
#include "lib/util.h"

#define P  0x001ull
#define W  0x002ull
#define U  0x004ull
#define A  0x020ull
#define D  0x040ull
#define PS 0x080ull
#define NX (1ull << 63)
#define TABLE (P | W | U)

/* Where the tests put their tables: level n in frame T(n). */
#define T(level) (0x7000ull + (level))
#define T_ADDR(level) (T(level) << 12)

#define FRAMES 8
static struct frame {
	uint64_t gfn;
	uint8_t byte[4096];
} frames[FRAMES];
static unsigned int frames_used, reads, sets;
static uint64_t set_at[8], set_bits[8];
static unsigned int set_size[8];

static uint8_t *frame_of(uint64_t gfn, bool make)
{
	for (unsigned int i = 0; i < frames_used; i++) {
		if (frames[i].gfn == gfn) {
			return frames[i].byte;
		}
	}
	if (!make) {
		return NULL;
	}
	MUST(frames_used < FRAMES);
	frames[frames_used].gfn = gfn;
	return frames[frames_used++].byte;
}

static bool read_mem(void *arg, gpa_t gpa, void *buf, unsigned int size)
{
	const uint8_t *f = frame_of(gpa.v >> 12, false);

	reads++;
	MUST((size == 4 || size == 8) && gpa.v % size == 0);
	if (f != NULL) {
		memcpy(buf, f + gpa.v % 4096, size);
	}
	return f != NULL;
}

static void set_mem(void *arg, gpa_t gpa, uint64_t old, uint64_t bits, unsigned int size)
{
	uint8_t *f = frame_of(gpa.v >> 12, false);
	uint64_t now = 0;

	ck_assert_ptr_nonnull(f);
	memcpy(&now, f + gpa.v % 4096, size);
	ck_assert_uint_eq(now, old);
	if (sets < ARRAY_SIZE(set_at)) {
		set_at[sets] = gpa.v;
		set_bits[sets] = bits;
		set_size[sets] = size;
	}
	sets++;
	now |= bits;
	memcpy(f + gpa.v % 4096, &now, size);
}

static const struct walk_ops ops = { read_mem, set_mem, NULL };
static const struct walk_ops ops_no_set = { read_mem, NULL, NULL };
static struct walk_regs r32, r_pae, r64, r57;

static void setup(void)
{
	memset(frames, 0, sizeof(frames));
	frames_used = reads = sets = 0;
	r32 = (struct walk_regs){ .cr0 = CR0_PG | CR0_PE | CR0_WP, .cr3 = T_ADDR(2) };
	r_pae = (struct walk_regs){ .cr0 = r32.cr0, .cr3 = T_ADDR(3), .cr4 = CR4_PAE, .efer = EFER_NXE };
	r64 = (struct walk_regs){ .cr0 = r32.cr0, .cr3 = T_ADDR(4), .cr4 = CR4_PAE,
				  .efer = EFER_LME | EFER_LMA | EFER_NXE };
	r57 = r64;
	r57.cr3 = T_ADDR(5);
	r57.cr4 |= CR4_LA57;
}

static uint64_t slot(const struct walk_regs *regs, uint64_t linear, unsigned int level)
{
	bool wide = regs->cr4 & CR4_PAE;
	unsigned int bits = wide ? 9 : 10;

	return (linear >> (12 + bits * (level - 1)) & (BIT(bits) - 1)) * (wide ? 8 : 4);
}

/* Write the entry that decides over linear in the table of this level. */
static void entry(const struct walk_regs *regs, uint64_t linear, unsigned int level, uint64_t e)
{
	memcpy(frame_of(T(level), true) + slot(regs, linear, level), &e, regs->cr4 & CR4_PAE ? 8 : 4);
}

static uint64_t entry_now(const struct walk_regs *regs, uint64_t linear, unsigned int level)
{
	uint64_t e = 0;

	memcpy(&e, frame_of(T(level), true) + slot(regs, linear, level), regs->cr4 & CR4_PAE ? 8 : 4);
	return e;
}

/* Tables for linear from level `from` down to the one that holds the leaf, and the leaf. */
static void map(const struct walk_regs *regs, uint64_t linear, unsigned int from, unsigned int leaf_level,
		uint64_t leaf)
{
	for (unsigned int l = from; l > leaf_level; l--) {
		bool pdpte = from == 3 && l == 3;

		entry(regs, linear, l, T_ADDR(l - 1) | (pdpte ? P : TABLE));
	}
	entry(regs, linear, leaf_level, leaf);
}

static uint64_t walk_ok(const struct walk_regs *regs, uint64_t linear, unsigned int flags)
{
	struct walk_result r = { GPA(0x5a5a), 0x5a5a, false, false };

	ck_assert_int_eq(guest_walk(&ops, regs, linear, flags, &r), 0);
	ck_assert_uint_eq(r.error, 0);
	return r.gpa.v;
}

static uint32_t walk_fails(const struct walk_regs *regs, uint64_t linear, unsigned int flags, int rc)
{
	struct walk_result r = { GPA(0x5a5a), 0x5a5a, false, false };

	ck_assert_int_eq(guest_walk(&ops, regs, linear, flags, &r), rc);
	return r.error;
}

START_TEST(test_none)
{
	struct walk_regs regs = { .cr0 = CR0_PE, .cr3 = 0x1234, .cr4 = CR4_PAE | CR4_SMAP | CR4_SMEP };
	struct walk_result r;

	ck_assert_uint_eq(walk_ok(&regs, 0x10ffef, WALK_WRITE), 0x10ffef);
	ck_assert_uint_eq(walk_ok(&regs, 0xfffffff0, WALK_FETCH | WALK_USER), 0xfffffff0);
	ck_assert_uint_eq(walk_ok(&regs, 0x100000123, 0), 0x123);
	ck_assert_int_eq(guest_walk(&ops_no_set, &regs, 5, 0, &r), 0);
	ck_assert(r.user && r.writable);
	ck_assert_uint_eq(reads, 0);
}
END_TEST

START_TEST(test_32bit)
{
	map(&r32, 0xc0801abc, 2, 1, 0xabcde000 | P | W);
	r32.cr3 |= 0x18;        /* cache bits are no address */
	ck_assert_uint_eq(walk_ok(&r32, 0xc0801abc, WALK_WRITE), 0xabcdeabc);
	ck_assert_uint_eq(reads, 2);
	/* Only 32 bits of a linear address count, and only 32 of CR3. */
	ck_assert_uint_eq(walk_ok(&r32, 0xffffffffc0801abcull, 0), 0xabcdeabc);
	r32.cr3 |= 0xff00000000ull;
	ck_assert_uint_eq(walk_ok(&r32, 0xc0801fff, 0), 0xabcdefff);
	/* EFER.NXE without PAE means nothing. */
	r32.efer = EFER_NXE;
	ck_assert_uint_eq(walk_ok(&r32, 0xc0801000, WALK_FETCH), 0xabcde000);
}
END_TEST

START_TEST(test_pse)
{
	uint64_t linear = 0x00c12345;

	map(&r32, linear, 2, 2, 0x1f400000 | P | W | U | PS);
	r32.cr4 |= CR4_PSE;
	ck_assert_uint_eq(walk_ok(&r32, linear, 0), 0x1f412345);
	ck_assert_uint_eq(reads, 1);
	ck_assert_uint_eq(walk_ok(&r32, 0x00ffffff, 0), 0x1f7fffff);
	/* PSE-36: bits 20:13 are bits 39:32 */
	entry(&r32, linear, 2, 0x1f400000 | 0xa5u << 13 | P | W | PS);
	ck_assert_uint_eq(walk_ok(&r32, linear, 0), 0xa51f412345ull);
	/* Bit 12 is PAT, bit 21 is reserved. */
	entry(&r32, linear, 2, 0x1f400000 | 1u << 12 | P | W | PS);
	ck_assert_uint_eq(walk_ok(&r32, linear, 0), 0x1f412345);
	entry(&r32, linear, 2, 0x1f400000 | 1u << 21 | P | W | PS);
	ck_assert_uint_eq(walk_fails(&r32, linear, WALK_WRITE, -EFAULT), PF_PRESENT | PF_RSVD | PF_WRITE);
	/* Without CR4.PSE the bit is ignored: a table like any other. */
	r32.cr4 = 0;
	entry(&r32, linear, 2, T_ADDR(1) | P | W | PS);
	entry(&r32, linear, 1, 0x00055000 | P | W | PS);
	ck_assert_uint_eq(walk_ok(&r32, linear, 0), 0x55345);
}
END_TEST

START_TEST(test_pae)
{
	uint64_t linear = 0xbfe01234;

	map(&r_pae, linear, 3, 1, 0x000fedcba9876000ull | P | W | U);
	ck_assert_uint_eq(walk_ok(&r_pae, linear, WALK_WRITE | WALK_USER), 0x000fedcba9876234ull);
	ck_assert_uint_eq(reads, 3);
	ck_assert_uint_eq(walk_ok(&r_pae, 0xaaaaaaaa00000000ull | linear, 0), 0x000fedcba9876234ull);
	entry(&r_pae, linear, 2, 0x3f3e00000ull | P | W | U | PS);
	ck_assert_uint_eq(walk_ok(&r_pae, linear, 0), 0x3f3e01234ull);
	/* The top table is 32 bytes anywhere below 4 GiB. */
	r_pae.cr3 = T_ADDR(3) + 0xfe0 + 0x1f;
	uint64_t top = T_ADDR(2) | P;
	memcpy(frame_of(T(3), true) + 0xfe0 + 2 * 8, &top, 8);
	ck_assert_uint_eq(walk_ok(&r_pae, linear, 0), 0x3f3e01234ull);
	/* Bit 31:30 choose among four. */
	ck_assert_uint_eq(walk_fails(&r_pae, 0xffe01234, 0, -EFAULT), 0);
	ck_assert_uint_eq(walk_fails(&r_pae, 0x3fe01234, 0, -EFAULT), 0);
}
END_TEST

START_TEST(test_4level)
{
	uint64_t low = 0x00007f8123456789ull, high = 0xffff888012345678ull;

	map(&r64, low, 4, 1, 0x123456000ull | TABLE);
	ck_assert_uint_eq(walk_ok(&r64, low, WALK_USER | WALK_WRITE), 0x123456789ull);
	ck_assert_uint_eq(reads, 4);
	/* Ignored bits 62:52 and 11:9 are no address. */
	entry(&r64, low, 1, 0x7ff0000123456e00ull | TABLE);
	ck_assert_uint_eq(walk_ok(&r64, low, 0), 0x123456789ull);
	/* PCID and the no-flush bit are no address either. */
	r64.cr3 |= 0x8000000000000fffull;
	ck_assert_uint_eq(walk_ok(&r64, low, 0), 0x123456789ull);
	entry(&r64, low, 2, 0x12200000ull | 1ull << 12 | TABLE | PS);
	ck_assert_uint_eq(walk_ok(&r64, low, 0), 0x12200000ull + (low & 0x1fffff));
	map(&r64, high, 4, 3, 0xfc0000000ull | TABLE | PS);
	ck_assert_uint_eq(walk_ok(&r64, high, 0), 0xfc0000000ull + (high & 0x3fffffff));
	ck_assert_uint_eq(walk_ok(&r64, 0xffff8880ffffffffull & ~0xc0000000ull, 0), 0xfffffffffull);
}
END_TEST

START_TEST(test_5level)
{
	uint64_t linear = 0xff5a123456789abcull;

	map(&r57, linear, 5, 1, 0xdead000ull | TABLE);
	ck_assert_uint_eq(walk_ok(&r57, linear, 0), 0xdeadabc);
	ck_assert_uint_eq(reads, 5);
	entry(&r57, linear, 3, 0x40000000ull | TABLE | PS);
	ck_assert_uint_eq(walk_ok(&r57, linear, 0), 0x40000000ull + (linear & 0x3fffffff));
	/* Bit 56 is part of the index. */
	ck_assert_uint_eq(walk_fails(&r57, linear ^ 1ull << 56, 0, -EFAULT), 0);
}
END_TEST

START_TEST(test_large_reserved)
{
	uint64_t linear = 0x40001000;

	/* PS in the levels above 1 GiB */
	map(&r64, linear, 4, 4, T_ADDR(3) | TABLE | PS);
	ck_assert_uint_eq(walk_fails(&r64, linear, WALK_USER, -EFAULT), PF_PRESENT | PF_RSVD | PF_USER);
	map(&r57, linear, 5, 5, T_ADDR(4) | TABLE | PS);
	ck_assert_uint_eq(walk_fails(&r57, linear, 0, -EFAULT), PF_PRESENT | PF_RSVD);
	/* Address bits below the page's size, but for PAT */
	map(&r64, linear, 4, 3, 0x80000000ull | 1ull << 29 | TABLE | PS);
	ck_assert_uint_eq(walk_fails(&r64, linear, 0, -EFAULT), PF_PRESENT | PF_RSVD);
	map(&r64, linear, 4, 3, 0x80000000ull | 1ull << 13 | TABLE | PS);
	ck_assert_uint_eq(walk_fails(&r64, linear, 0, -EFAULT), PF_PRESENT | PF_RSVD);
	map(&r64, linear, 4, 2, 0x80000000ull | 1ull << 20 | TABLE | PS);
	ck_assert_uint_eq(walk_fails(&r64, linear, WALK_FETCH, -EFAULT), PF_PRESENT | PF_RSVD | PF_FETCH);
	/* NX before it was turned on, at any level; before permissions are asked */
	r64.efer &= ~EFER_NXE;
	for (unsigned int level = 1; level <= 4; level++) {
		map(&r64, linear, 4, 1, 0x5000 | P);
		entry(&r64, linear, level, entry_now(&r64, linear, level) | NX);
		ck_assert_uint_eq(walk_fails(&r64, linear, WALK_WRITE, -EFAULT), PF_PRESENT | PF_RSVD | PF_WRITE);
	}
}
END_TEST

START_TEST(test_not_present)
{
	static const struct {
		unsigned int flags;
		uint32_t error;
	} row[] = {
		{ 0, 0 },
		{ WALK_WRITE, PF_WRITE },
		{ WALK_USER, PF_USER },
		{ WALK_WRITE | WALK_USER, PF_WRITE | PF_USER },
		{ WALK_FETCH, PF_FETCH },
		{ WALK_FETCH | WALK_USER, PF_FETCH | PF_USER },
		{ WALK_WRITE | WALK_IMPLICIT, PF_WRITE },
	};
	uint64_t linear = 0x401000;

	for (unsigned int level = 1; level <= 5; level++) {
		map(&r57, linear, 5, 1, 0x5000 | TABLE);
		/* Everything but P: the rest of an absent entry is the guest's own. */
		entry(&r57, linear, level, ~P);
		for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
			ck_assert_uint_eq(walk_fails(&r57, linear, row[i].flags, -EFAULT), row[i].error);
		}
	}
	/* The fetch bit is told when there is NX or SMEP, else not. */
	r57.efer &= ~EFER_NXE;
	map(&r57, linear, 5, 1, 0);
	ck_assert_uint_eq(walk_fails(&r57, linear, WALK_FETCH, -EFAULT), 0);
	r57.cr4 |= CR4_SMEP;
	ck_assert_uint_eq(walk_fails(&r57, linear, WALK_FETCH, -EFAULT), PF_FETCH);
	map(&r32, linear, 2, 1, 0);
	r32.efer = EFER_NXE;
	ck_assert_uint_eq(walk_fails(&r32, linear, WALK_FETCH, -EFAULT), 0);
	r32.cr4 = CR4_SMEP;
	ck_assert_uint_eq(walk_fails(&r32, linear, WALK_FETCH, -EFAULT), PF_FETCH);
}
END_TEST

START_TEST(test_absent_tables)
{
	uint64_t linear = 0x401000;

	for (unsigned int level = 2; level <= 5; level++) {
		map(&r57, linear, 5, 1, 0x5000 | TABLE);
		entry(&r57, linear, level, 0xbad000 | TABLE);
		ck_assert_uint_eq(walk_fails(&r57, linear, WALK_WRITE, -EINVAL), PF_WRITE);
	}
	r57.cr3 = 0xbad000;
	ck_assert_uint_eq(walk_fails(&r57, linear, WALK_USER, -EINVAL), PF_USER);
	/* A leaf may point anywhere: that is the caller's question. */
	map(&r64, linear, 4, 1, 0xbad000 | TABLE);
	ck_assert_uint_eq(walk_ok(&r64, linear, 0), 0xbad000);
}
END_TEST

/* Intel SDM volume 3, "Determination of Access Rights", as it stands there. */
static bool manual_allows(bool user_page, bool writable, bool nx, const struct walk_regs *regs, unsigned int flags)
{
	bool wp = regs->cr0 & CR0_WP, smap = regs->cr4 & CR4_SMAP, smep = regs->cr4 & CR4_SMEP;
	bool explicit_ac = !(flags & WALK_IMPLICIT) && (regs->rflags & RFLAGS_AC);

	if (flags & WALK_USER) {
		if (!user_page) {
			return false;
		}
		return flags & WALK_FETCH ? !nx : flags & WALK_WRITE ? writable : true;
	}
	if (!user_page) {
		return flags & WALK_FETCH ? !nx : flags & WALK_WRITE ? !wp || writable : true;
	}
	if (flags & WALK_FETCH) {
		return !smep && !nx;
	}
	if (smap && !explicit_ac) {
		return false;
	}
	return flags & WALK_WRITE ? !wp || writable : true;
}

static void check_rights(struct walk_regs *regs, unsigned int top, uint64_t upper, uint64_t leaf, unsigned int flags)
{
	uint64_t linear = 0x401000;
	struct walk_result r;
	bool pae3 = top == 3;
	bool user = leaf & upper & U, writable = leaf & upper & W, nx = (leaf | upper) & NX;

	/* The bits of the upper level stand in the entry above the leaf; PAE's top has none. */
	map(regs, linear, top, 1, 0x5000 | P | leaf);
	entry(regs, linear, 2, T_ADDR(1) | P | upper);
	if (pae3) {
		entry(regs, linear, 3, T_ADDR(2) | P);
	}
	int rc = guest_walk(&ops_no_set, regs, linear, flags, &r);
	if (manual_allows(user, writable, nx, regs, flags)) {
		MUST(rc == 0 && r.gpa.v == 0x5000 && r.user == user && r.writable == writable);
	} else {
		MUST(rc == -EFAULT);
		MUST(r.error == (PF_PRESENT | (flags & WALK_WRITE ? PF_WRITE : 0) |
			(flags & WALK_USER ? PF_USER : 0) |
			(flags & WALK_FETCH && (regs->cr4 & CR4_SMEP || regs->efer & EFER_NXE) ? PF_FETCH : 0)));
	}
}

/* Every combination of U, W, NX in two levels, control bits and access. */
static void all_rights(struct walk_regs base, unsigned int top, bool nx_exists)
{
	static const unsigned int access[] = {
		0, WALK_WRITE, WALK_FETCH, WALK_USER, WALK_USER | WALK_WRITE, WALK_USER | WALK_FETCH,
		WALK_IMPLICIT, WALK_IMPLICIT | WALK_WRITE
	};

	for (unsigned int n = 0; n < 1u << 10; n++) {
		struct walk_regs regs = base;
		uint64_t upper = (n & 1 ? U : 0) | (n & 2 ? W : 0) | (n & 4 && nx_exists ? NX : 0);
		uint64_t leaf = (n & 8 ? U : 0) | (n & 16 ? W : 0) | (n & 32 && nx_exists ? NX : 0);

		regs.cr0 = CR0_PG | CR0_PE | (n & 64 ? CR0_WP : 0);
		regs.cr4 |= (n & 128 ? CR4_SMEP : 0) | (n & 256 ? CR4_SMAP : 0);
		regs.rflags = n & 512 ? RFLAGS_AC : 0;
		for (unsigned int i = 0; i < ARRAY_SIZE(access); i++) {
			check_rights(&regs, top, upper, leaf, access[i]);
		}
	}
}

START_TEST(test_rights)
{
	all_rights(r64, 4, true);
}
END_TEST

START_TEST(test_rights_pae)
{
	all_rights(r_pae, 3, true);
}
END_TEST

START_TEST(test_rights_32bit)
{
	all_rights(r32, 2, false);
}
END_TEST

START_TEST(test_rights_every_level)
{
	static const struct {
		uint64_t clear, set;
		unsigned int flags;
	} row[] = { { U, 0, WALK_USER }, { W, 0, WALK_WRITE }, { 0, NX, WALK_FETCH } };
	uint64_t linear = 0x401000;

	for (unsigned int i = 0; i < ARRAY_SIZE(row); i++) {
		for (unsigned int level = 1; level <= 5; level++) {
			map(&r57, linear, 5, 1, 0x5000 | TABLE);
			walk_ok(&r57, linear, row[i].flags);
			entry(&r57, linear, level,
			      (entry_now(&r57, linear, level) & ~row[i].clear) | row[i].set);
			ck_assert(walk_fails(&r57, linear, row[i].flags, -EFAULT) & PF_PRESENT);
		}
	}
}
END_TEST

START_TEST(test_accessed_dirty)
{
	uint64_t linear = 0x401000;

	map(&r64, linear, 4, 1, 0x5000 | TABLE);
	walk_ok(&r64, linear, 0);
	ck_assert_uint_eq(sets, 4);
	for (unsigned int i = 0; i < 4; i++) {
		ck_assert_uint_eq(set_at[i], T_ADDR(4 - i) + slot(&r64, linear, 4 - i));
		ck_assert_uint_eq(set_bits[i], A);
		ck_assert_uint_eq(set_size[i], 8);
	}
	/* Now a write needs only the leaf's D; after it nothing. */
	sets = 0;
	walk_ok(&r64, linear, WALK_WRITE);
	ck_assert_uint_eq(sets, 1);
	ck_assert_uint_eq(set_at[0], T_ADDR(1) + slot(&r64, linear, 1));
	ck_assert_uint_eq(entry_now(&r64, linear, 1), 0x5000 | TABLE | A | D);
	ck_assert_uint_eq(entry_now(&r64, linear, 2), T_ADDR(1) | TABLE | A);
	walk_ok(&r64, linear, WALK_WRITE);
	walk_ok(&r64, linear, WALK_FETCH);
	ck_assert_uint_eq(sets, 1);
}
END_TEST

START_TEST(test_accessed_on_fault)
{
	struct walk_result r;
	uint64_t linear = 0x401000;

	/* What refuses is not marked; what was used on the way is. */
	map(&r64, linear, 4, 1, 0x5000 | P | U);
	walk_fails(&r64, linear, WALK_WRITE | WALK_USER, -EFAULT);
	ck_assert_uint_eq(sets, 3);
	ck_assert_uint_eq(entry_now(&r64, linear, 1), 0x5000 | P | U);
	/* Without a way to mark it is left alone. */
	map(&r64, linear, 4, 1, 0x5000 | TABLE);
	ck_assert_int_eq(guest_walk(&ops_no_set, &r64, linear, WALK_WRITE, &r), 0);
	ck_assert_uint_eq(entry_now(&r64, linear, 1), 0x5000 | TABLE);
}
END_TEST

START_TEST(test_accessed_modes)
{
	uint64_t linear = 0x401000;

	/* 32-bit entries are 4 bytes; a large page is a leaf. */
	map(&r32, linear, 2, 1, 0x5000 | TABLE);
	walk_ok(&r32, linear, WALK_WRITE);
	ck_assert_uint_eq(sets, 2);
	ck_assert(set_size[0] == 4 && set_size[1] == 4 && set_bits[0] == A && set_bits[1] == (A | D));
	sets = 0;
	r32.cr4 = CR4_PSE;
	entry(&r32, linear, 2, 0x400000 | TABLE | PS);
	walk_ok(&r32, linear, WALK_WRITE);
	ck_assert_uint_eq(sets, 1);
	ck_assert_uint_eq(entry_now(&r32, linear, 2), 0x400000 | TABLE | PS | A | D);
	/* PAE's top entries have neither. */
	sets = 0;
	map(&r_pae, linear, 3, 2, 0x400000 | TABLE | PS);
	walk_ok(&r_pae, linear, 0);
	ck_assert_uint_eq(sets, 1);
	ck_assert_uint_eq(set_at[0], T_ADDR(2) + slot(&r_pae, linear, 2));
	ck_assert_uint_eq(entry_now(&r_pae, linear, 3), T_ADDR(2) | P);
}
END_TEST

/* Code that has just been fetched is read again whatever SMEP, SMAP and NX say of supervisors; absent stays absent. */
START_TEST(test_unchecked)
{
	uint64_t linear = 0x401000;

	r64.cr4 |= CR4_SMEP | CR4_SMAP;
	map(&r64, linear, 4, 1, 0x5000 | P | U);
	ck_assert_uint_eq(walk_fails(&r64, linear, 0, -EFAULT), PF_PRESENT);
	ck_assert_uint_eq(walk_fails(&r64, linear, WALK_FETCH, -EFAULT), PF_PRESENT | PF_FETCH);
	ck_assert_uint_eq(walk_ok(&r64, linear, WALK_UNCHECKED), 0x5000);
	entry(&r64, linear, 1, 0x5000);
	ck_assert_uint_eq(walk_fails(&r64, linear, WALK_UNCHECKED, -EFAULT), 0);
}
END_TEST

START_TEST(test_keys)
{
	uint64_t linear = 0x401000, page = 0x5000 | P | W | U | 5ull << 59;

	map(&r64, linear, 4, 1, page);
	for (unsigned int pkru = 0; pkru < 4; pkru++) {
		bool ad = pkru & 1, wd = pkru & 2;

		r64.pkru = pkru << 10 | 3u << 12;       /* key 5; key 6 is always closed */
		for (unsigned int n = 0; n < 8; n++) {
			unsigned int flags = (n & 1 ? WALK_WRITE : 0) | (n & 2 ? WALK_USER : 0);
			bool fails = ad || (wd && (flags & WALK_WRITE) && (n & 4 || (flags & WALK_USER)));

			r64.cr0 = n & 4 ? r64.cr0 | CR0_WP : r64.cr0 & ~CR0_WP;
			if (fails) {
				uint32_t error = PF_PRESENT | PF_PK | (n & 1 ? PF_WRITE : 0) | (n & 2 ? PF_USER : 0);
				ck_assert_uint_eq(walk_fails(&r64, linear, flags, -EFAULT), error);
			} else {
				walk_ok(&r64, linear, flags);
			}
		}
		/* Code has no keys, nor has what belongs to the supervisor. */
		walk_ok(&r64, linear, WALK_FETCH | WALK_USER);
		entry(&r64, linear, 1, page & ~U);
		walk_ok(&r64, linear, WALK_WRITE);
		entry(&r64, linear, 1, page);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_none, test_32bit, test_pse, test_pae, test_4level, test_5level,
		test_large_reserved, test_not_present, test_absent_tables, test_rights, test_rights_pae,
		test_rights_32bit, test_rights_every_level, test_accessed_dirty, test_accessed_on_fault,
		test_accessed_modes, test_unchecked, test_keys, NULL };

	return suite_run("guest_walk", setup, tests);
}
