/*
 * The walk of guest page tables. Contract in guest_walk.h.
 */
#include "dom/guest_walk.h"
#include "arch/x86.h"
#include "lib/err.h"
#include "lib/util.h"

#define PTE_P  (1ull << 0)
#define PTE_W  (1ull << 1)
#define PTE_U  (1ull << 2)
#define PTE_A  (1ull << 5)
#define PTE_D  (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_NX (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

/* The shape of one paging mode. */
struct mode {
	unsigned int levels, entry_size, index_bits;
	uint64_t frame;                 /* bits of an entry that are the next table's or the page's address */
	uint64_t refused;               /* bits that must not be set at any level */
};

struct walk_state {
	uint64_t all, any;              /* the entries of all levels, and-ed and or-ed */
	gpa_t entry_at;                 /* of the last entry read */
	uint64_t entry;
};

static struct mode mode_of(const struct walk_regs *regs)
{
	uint64_t refused = regs->efer & EFER_NXE ? 0 : PTE_NX;
	if (!(regs->cr4 & CR4_PAE)) {
		return (struct mode){ 2, 4, 10, 0xfffff000, 0 };
	}
	if (!(regs->efer & EFER_LMA)) {
		return (struct mode){ 3, 8, 9, PTE_ADDR, refused };
	}
	return (struct mode){ regs->cr4 & CR4_LA57 ? 5 : 4, 8, 9, PTE_ADDR, refused };
}

/* PAE's top level has neither rights nor marks, and was checked when CR3 was loaded. */
static bool is_pae_top(const struct mode *m, unsigned int level)
{
	return m->levels == 3 && level == 3;
}

/* The frame bits of CR3 in each mode. */
static uint64_t root_of(const struct walk_regs *regs, const struct mode *m)
{
	if (m->levels == 2) {
		return regs->cr3 & 0xfffff000;
	}
	return m->levels == 3 ? regs->cr3 & 0xffffffe0 : regs->cr3 & PTE_ADDR;
}

static uint64_t large_page_base(uint64_t e, const struct mode *m, unsigned int shift)
{
	if (m->levels == 2) {
		/* PSE-36: bits 20:13 are address bits 39:32 */
		return (e & 0xffc00000) | (e >> 13 & 0xff) << 32;
	}
	return e & PTE_ADDR & ~MASK(shift);
}

/* An entry above the lowest level that has PTE_PS: does it map a page? */
static bool is_large(unsigned int level, const struct mode *m, uint64_t cr4)
{
	if (m->levels == 2) {
		return cr4 & CR4_PSE;
	}
	return level == 2 || (level == 3 && m->levels >= 4);
}

/* Does the page allow the access? The error code's bits other than "present" are the caller's. */
static bool allowed(const struct walk_state *s, const struct walk_regs *regs, unsigned int flags)
{
	bool user = s->all & PTE_U, writable = s->all & PTE_W;
	if (flags & WALK_UNCHECKED) {
		return true;
	}
	if ((flags & WALK_FETCH) && (s->any & PTE_NX)) {
		return false;
	}
	if (flags & WALK_USER) {
		return user && (!(flags & WALK_WRITE) || writable);
	}
	if ((flags & WALK_WRITE) && !writable && (regs->cr0 & CR0_WP)) {
		return false;
	}
	if (user && (flags & WALK_FETCH)) {
		return !(regs->cr4 & CR4_SMEP);
	}
	if (user && (regs->cr4 & CR4_SMAP)) {
		return (regs->rflags & RFLAGS_AC) && !(flags & WALK_IMPLICIT);
	}
	return true;
}

/* Protection keys: on data of programs, in the modes that have keys. WD stops supervisors only under CR0.WP. */
static bool key_denies(const struct walk_state *s, const struct walk_regs *regs, const struct mode *m,
		       unsigned int flags)
{
	if (regs->pkru == 0 || m->levels < 4 || !(s->all & PTE_U) || (flags & (WALK_FETCH | WALK_UNCHECKED))) {
		return false;
	}
	uint32_t key = regs->pkru >> (s->entry >> 59 & 15) * 2;
	return (key & 1) || ((key & 2) && (flags & WALK_WRITE) && ((flags & WALK_USER) || (regs->cr0 & CR0_WP)));
}

static int read_entry(const struct walk_ops *ops, struct walk_state *s, const struct mode *m, gpa_t at)
{
	s->entry_at = at;
	s->entry = 0;
	return ops->read(ops->arg, at, &s->entry, m->entry_size) ? 0 : -EINVAL;
}

/* Bits that the processor refuses in an entry with PTE_PS. How wide physical addresses are is not asked: what lies beyond
 * the guest's memory is found absent anyway. */
static bool reserved(uint64_t e, bool large, const struct mode *m, unsigned int level, unsigned int shift)
{
	if (m->levels == 2) {
		return large && (e & 1u << 21);
	}
	/* bit 12 is a large page's PAT bit */
	return large ? (e & MASK(shift) & ~MASK(PAGE_SHIFT + 1)) != 0 : level > 3;
}

static uint32_t error_code(const struct walk_regs *regs, unsigned int flags, uint32_t cause)
{
	bool nx = (regs->cr4 & CR4_SMEP) || ((regs->efer & EFER_NXE) && (regs->cr4 & CR4_PAE));
	return cause | (flags & WALK_WRITE ? PF_WRITE : 0) |
	       (flags & WALK_USER ? PF_USER : 0) | (flags & WALK_FETCH && nx ? PF_FETCH : 0);
}

/* Accessed on the way, dirty at the end. */
static void mark(const struct walk_ops *ops, const struct walk_state *s, const struct mode *m, uint64_t want)
{
	if ((s->entry & want) != want && ops->set != NULL) {
		ops->set(ops->arg, s->entry_at, s->entry, want, m->entry_size);
	}
}

/* Down to the leaf: *shift is its size in address bits. -EFAULT: an entry is not present (*cause 0) or has bits set
 * that must not be. */
static int descend(const struct walk_ops *ops, const struct walk_regs *regs, const struct mode *m,
		   uint64_t linear, struct walk_state *s, unsigned int *shift, uint32_t *cause)
{
	uint64_t table = root_of(regs, m);
	*shift = PAGE_SHIFT + m->index_bits * m->levels;
	for (unsigned int level = m->levels;; level--) {
		bool large = false;
		*shift -= m->index_bits;
		int rc = read_entry(ops, s, m, GPA(table + (linear >> *shift & MASK(m->index_bits)) * m->entry_size));
		if (rc != 0) {
			return rc;
		}
		uint64_t e = s->entry;
		if (!(e & PTE_P)) {
			return -EFAULT;
		}
		if (!is_pae_top(m, level)) {
			if ((e & PTE_PS) && level > 1) {
				large = is_large(level, m, regs->cr4);
				if (reserved(e, large, m, level, *shift)) {
					*cause = PF_PRESENT | PF_RSVD;
					return -EFAULT;
				}
			}
			s->all &= e;
			s->any |= e;
			if (s->any & m->refused) {
				*cause = PF_PRESENT | PF_RSVD;
				return -EFAULT;
			}
			if (level == 1 || large) {
				return 0;
			}
			mark(ops, s, m, PTE_A);
		}
		table = e & m->frame;
	}
}

int guest_walk(const struct walk_ops *ops, const struct walk_regs *regs, uint64_t linear,
	       unsigned int flags, struct walk_result *r)
{
	if (!(regs->cr0 & CR0_PG)) {
		*r = (struct walk_result){ GPA(linear & 0xffffffff), 0, true, true };
		return 0;
	}
	struct mode m = mode_of(regs);
	struct walk_state s = { .all = ~0ull };
	unsigned int shift;
	if (m.levels < 4) {
		linear &= 0xffffffff;
	}
	uint32_t cause = 0;
	int rc = descend(ops, regs, &m, linear, &s, &shift, &cause);
	if (rc != 0) {
		r->error = error_code(regs, flags, cause);
		return rc;
	}
	if (!allowed(&s, regs, flags)) {
		r->error = error_code(regs, flags, PF_PRESENT);
		return -EFAULT;
	}
	if (key_denies(&s, regs, &m, flags)) {
		r->error = error_code(regs, flags, PF_PRESENT | PF_PK);
		return -EFAULT;
	}
	mark(ops, &s, &m, flags & WALK_WRITE ? PTE_A | PTE_D : PTE_A);
	uint64_t base = shift > PAGE_SHIFT ? large_page_base(s.entry, &m, shift) : s.entry & m.frame;
	*r = (struct walk_result){ GPA(base | (linear & MASK(shift))), 0, (s.all & PTE_U) != 0, (s.all & PTE_W) != 0 };
	return 0;
}
