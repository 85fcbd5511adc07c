/*
 * Copies to and from guest memory. Contract in guest_copy.h; each page is held by a reference during its copy.
 */
#include "dom/guest_copy.h"
#include "arch/virt.h"
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
	return (struct walk_regs){ s.cr0, s.cr3, s.cr4, s.efer, v->arch.regs.rflags, 0 };
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

/* Hypercall buffers of user programs: the kernel has made the access legal, so SMAP is not asked (AC would have to be
 * set by the caller and Linux does set it for privcmd; older guests do not). Within one page, under the map's lock. */
static int copy_linear_page(struct vcpu *v, const struct walk_regs *regs, uint64_t linear, void *buf,
			    unsigned int n, bool write)
{
	unsigned int flags = write ? WALK_WRITE : 0;
	struct walk_result r;
	p2m_lock(v->domain);
	bool ok = translate_locked(v, regs, linear, flags, &r) == 0 ||
		  translate_locked(v, regs, linear, flags | WALK_USER, &r) == 0;
	if (ok) {
		ok = write ? p2m_write_locked(v->domain, r.gpa, buf, n)
			   : p2m_read_locked(v->domain, r.gpa, buf, n);
	}
	p2m_unlock(v->domain);
	return ok ? 0 : -EFAULT;
}

static int copy_linear(struct vcpu *v, uint64_t linear, void *buf, size_t len, bool write)
{
	const struct walk_regs regs = walk_regs_of(v);
	while (len > 0) {
		size_t n = MIN(len, PAGE_SIZE - (linear & (PAGE_SIZE - 1)));
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
	struct walk_result r;
	int rc = -EFAULT;
	p2m_lock(v->domain);
	if ((linear & 7) == 0 && translate_locked(v, &regs, linear, WALK_WRITE, &r) == 0) {
		void *bytes = p2m_bytes_locked(v->domain, r.gpa, len, true);
		if (bytes != NULL) {
			fn(bytes, arg);
			rc = 0;
		}
	}
	p2m_unlock(v->domain);
	return rc;
}

int guest_copy_from(struct vcpu *v, void *dst, uint64_t linear, size_t len)
{
	return copy_linear(v, linear, dst, len, false);
}

int guest_copy_to(struct vcpu *v, uint64_t linear, const void *src, size_t len)
{
	return copy_linear(v, linear, (void *)(uintptr_t)src, len, true);
}
