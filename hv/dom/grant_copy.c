/*
 * GNTTABOP_copy: bytes between two pages, each named by a reference of another domain or a frame of the caller's own.
 *
 * Owns nothing; holds use counts and page references for the time of the copy.
 */
#include "dom/grant.h"
#include "lib/mem.h"
#include "dom/domain.h"
#include "dom/p2m.h"

static int16_t end_open(struct domain *caller, const struct grant_copy_end *e, bool write, struct page **page)
{
	int rc;

	if (e->is_ref) {
		return grant_acquire(e->domain, (grant_ref_t)e->frame, caller->id, write, page);
	}
	if (e->domain != caller) {
		return GNTST_permission_denied;
	}
	/* The caller's own frame: its RAM, or pages that it maps itself (a backend copies between two guests). */
	rc = p2m_get_page(caller, GFN(e->frame), write, page);
	return rc == 0 ? GNTST_okay : GNTST_bad_page;
}

static void end_close(const struct grant_copy_end *e, bool write, struct page *page)
{
	page_put(page);
	if (e->is_ref) {
		grant_release_ref(e->domain, (grant_ref_t)e->frame, write);
	}
}

int16_t grant_copy(struct domain *caller, const struct grant_copy_end *src, const struct grant_copy_end *dst,
		   uint16_t len)
{
	struct page *from, *to;
	int16_t status;

	if (src->offset + len > (int)PAGE_SIZE || dst->offset + len > (int)PAGE_SIZE) {
		return GNTST_bad_copy_arg;
	}
	status = end_open(caller, src, false, &from);
	if (status != GNTST_okay) {
		return status;
	}
	status = end_open(caller, dst, true, &to);
	if (status == GNTST_okay) {
		memmove((char *)page_virt(to) + dst->offset, (char *)page_virt(from) + src->offset, len);
		end_close(dst, true, to);
	}
	end_close(src, false, from);
	return status;
}
