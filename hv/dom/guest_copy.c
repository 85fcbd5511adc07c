/*
 * Copies to and from guest memory. Contract in guest_copy.h. Pages that are reached by a linear address are kept by the
 * map's lock, others by a reference.
 *
 * A hypercall's arguments lie on the same few pages time after time. A walk for a copy is remembered with every entry it
 * has read; the next one reads these entries again, where they are, and goes the long way when one has changed. So what
 * the guest does to its tables counts at once, as if each copy had walked them.
 */
#include "dom/guest_copy.h"
#include "arch/virt.h"
#include "arch/x86.h"
#include "dom/domain.h"
#include "dom/guest_walk.h"
#include "dom/guest_mem.h"
#include "lib/atomic.h"
#include "lib/err.h"
#include "lib/mem.h"

static bool walk_read(void *arg, gpa_t gpa, void *buf, unsigned int size)
{
	return p2m_read_locked(arg, gpa, buf, size);
}

static void walk_set(void *arg, gpa_t gpa, uint64_t old, uint64_t bits, unsigned int size)
{
	p2m_set_bits_locked(arg, gpa, old, bits, size);
}

static int translate_locked(struct vcpu *v, const struct walk_regs *regs, uint64_t linear, unsigned int flags,
			    struct walk_result *r)
{
	const struct walk_ops ops = { walk_read, walk_set, v->domain };
	return guest_walk(&ops, regs, linear, flags, r);
}

int guest_translate_with(struct vcpu *v, const struct walk_regs *regs, uint64_t linear, unsigned int flags,
			 struct walk_result *r)
{
	p2m_lock(v->domain);
	int rc = translate_locked(v, regs, linear, flags, r);
	p2m_unlock(v->domain);
	return rc;
}

static struct walk_regs walk_regs_of(const struct vcpu *v)
{
	struct virt_code s;
	virt->get_code(&v->arch, &s);
	return (struct walk_regs){ s.cr0, s.cr3, s.cr4, s.efer, v->arch.regs.rflags & RFLAGS_AC, 0 };
}

int guest_translate(struct vcpu *v, uint64_t linear, unsigned int flags, struct walk_result *r)
{
	const struct walk_regs regs = walk_regs_of(v);
	return guest_translate_with(v, &regs, linear, flags, r);
}

/* One piece that stays within a page. */
static int copy_phys(struct domain *d, gpa_t gpa, void *buf, size_t len, bool write)
{
	struct page *page;
	int rc = p2m_get_page(d, gpa_to_gfn(gpa), write, &page);
	if (rc != 0) {
		return -EFAULT;
	}
	char *p = (char *)page_virt(page) + gpa_offset(gpa);
	if (write) {
		memcpy(p, buf, len);
	} else {
		memcpy(buf, p, len);
	}
	page_put(page);
	return 0;
}

static int copy_phys_all(struct domain *d, gpa_t gpa, void *buf, size_t len, bool write)
{
	while (len > 0) {
		size_t n = MIN(len, PAGE_SIZE - gpa_offset(gpa));
		int rc = copy_phys(d, gpa, buf, n, write);
		if (rc != 0) {
			return rc;
		}
		gpa = gpa_add(gpa, n);
		buf = (char *)buf + n;
		len -= n;
	}
	return 0;
}

int guest_read_phys(struct domain *d, gpa_t gpa, void *dst, size_t len)
{
	return copy_phys_all(d, gpa, dst, len, false);
}

int guest_write_phys(struct domain *d, gpa_t gpa, const void *src, size_t len)
{
	/* copy_phys() only reads from the buffer of a write */
	return copy_phys_all(d, gpa, (void *)(uintptr_t)src, len, true);
}

/* ---- walks that are remembered ---- */

/* One walk as it goes: which entries it reads. */
struct path {
	struct domain *domain;
	const uint64_t *at[WALK_MEMO_LEVELS];
	uint64_t entry[WALK_MEMO_LEVELS];
	unsigned int levels;            /* 0: not to be remembered */
	bool odd;                       /* entries of 4 bytes, or more levels than there is room for */
};

static bool path_read(void *arg, gpa_t gpa, void *buf, unsigned int size)
{
	struct path *path = arg;
	const void *p = p2m_bytes_locked(path->domain, gpa, size, false);
	if (p == NULL) {
		return false;
	}
	memcpy(buf, p, size);
	if (size != sizeof(path->entry[0]) || path->levels == WALK_MEMO_LEVELS) {
		path->odd = true;
		return true;
	}
	path->at[path->levels] = p;
	memcpy(&path->entry[path->levels], buf, sizeof(path->entry[0]));
	path->levels++;
	return true;
}

static void path_set(void *arg, gpa_t gpa, uint64_t old, uint64_t bits, unsigned int size)
{
	const struct path *path = arg;
	p2m_set_bits_locked(path->domain, gpa, old, bits, size);
}

/* The memo of a page (with the walk's flags in its offset bits), else the next one to be overwritten. */
static struct walk_memo *find_memo(struct vcpu *v, uint64_t cr3, uint64_t page)
{
	for (unsigned int i = 0; i < WALK_MEMOS; i++) {
		if (v->walk_memo[i].page == page && v->walk_memo[i].regs.cr3 == cr3) {
			return &v->walk_memo[i];
		}
	}
	v->walk_memo_next = (v->walk_memo_next + 1) % WALK_MEMOS;
	return &v->walk_memo[v->walk_memo_next];
}

/* Would a walk with these registers read the same entries, and find in them what it found? */
static bool memo_holds(const struct walk_memo *m, const struct p2m *p2m, const struct walk_regs *regs, uint64_t page)
{
	if (m->epoch != p2m->near_epoch || m->page != page || m->regs.cr3 != regs->cr3 || m->regs.cr0 != regs->cr0 ||
	    m->regs.cr4 != regs->cr4 || m->regs.efer != regs->efer || m->regs.rflags != regs->rflags) {
		return false;
	}
	for (unsigned int i = 0; i < m->levels; i++) {
		if (READ_ONCE(*m->at[i]) != m->entry[i]) {
			return false;
		}
	}
	return m->levels != 0;
}

static __attribute__((noinline)) char *walk_to(struct vcpu *v, const struct walk_regs *regs, uint64_t page,
					       struct walk_memo *m)
{
	unsigned int flags = page % PAGE_SIZE;
	struct path path = { .domain = v->domain };
	const struct walk_ops ops = { path_read, path_set, &path };
	struct walk_result r;
	char *bytes = NULL;
	m->levels = 0;
	if (guest_walk(&ops, regs, page & PAGE_MASK, flags, &r) == 0) {
		bytes = p2m_bytes_locked(v->domain, r.gpa, PAGE_SIZE, flags & WALK_WRITE);
	}
	if (bytes != NULL && !path.odd) {
		m->epoch = v->domain->p2m.near_epoch;
		m->page = page;
		m->regs = *regs;
		m->bytes = bytes;
		m->levels = path.levels;
		memcpy(m->at, path.at, sizeof(m->at));
		memcpy(m->entry, path.entry, sizeof(m->entry));
	}
	return bytes;
}

/* Where the bytes at a linear address are, from there to the end of the page; NULL: nowhere, or the access is not allowed.
 * The caller holds the map's lock for as long as it needs them. */
static char *reach(struct vcpu *v, const struct walk_regs *regs, uint64_t linear, unsigned int flags)
{
	uint64_t page = (linear & PAGE_MASK) | flags;
	struct walk_memo *m = find_memo(v, regs->cr3, page);
	char *bytes = memo_holds(m, &v->domain->p2m, regs, page) ? m->bytes : walk_to(v, regs, page, m);
	return bytes != NULL ? bytes + linear % PAGE_SIZE : NULL;
}

/* ---- linear addresses ---- */

/* Hypercall buffers of user programs: the kernel has made the access legal, so SMAP is not asked (AC would have to be
 * set by the caller and Linux does set it for privcmd; older guests do not). Within one page, under the map's lock. */
static int copy_linear_page(struct vcpu *v, const struct walk_regs *regs, uint64_t linear, void *buf,
			    unsigned int n, bool write)
{
	unsigned int flags = write ? WALK_WRITE : 0;
	p2m_lock(v->domain);
	char *p = reach(v, regs, linear, flags);
	if (p == NULL) {
		p = reach(v, regs, linear, flags | WALK_USER);
	}
	if (p != NULL) {
		memcpy(write ? p : buf, write ? buf : p, n);
	}
	p2m_unlock(v->domain);
	return p != NULL ? 0 : -EFAULT;
}

static int copy_linear(struct vcpu *v, uint64_t linear, void *buf, size_t len, bool write)
{
	const struct walk_regs regs = walk_regs_of(v);
	while (len > 0) {
		size_t n = MIN(len, PAGE_SIZE - linear % PAGE_SIZE);
		int rc = copy_linear_page(v, &regs, linear, buf, (unsigned int)n, write);
		if (rc != 0) {
			return rc;
		}
		linear += n;
		buf = (char *)buf + n;
		len -= n;
	}
	return 0;
}

int guest_with_bytes(struct vcpu *v, uint64_t linear, unsigned int len, void (*fn)(void *bytes, void *arg), void *arg)
{
	const struct walk_regs regs = walk_regs_of(v);
	if (linear % sizeof(uint64_t) != 0 || linear % PAGE_SIZE + len > PAGE_SIZE) {
		return -EFAULT;
	}
	p2m_lock(v->domain);
	void *bytes = reach(v, &regs, linear, WALK_WRITE);
	if (bytes != NULL) {
		fn(bytes, arg);
	}
	p2m_unlock(v->domain);
	return bytes != NULL ? 0 : -EFAULT;
}

int guest_copy_from(struct vcpu *v, void *dst, uint64_t linear, size_t len)
{
	return copy_linear(v, linear, dst, len, false);
}

int guest_copy_to(struct vcpu *v, uint64_t linear, const void *src, size_t len)
{
	return copy_linear(v, linear, (void *)(uintptr_t)src, len, true);
}
