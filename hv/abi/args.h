/*
 * Typed copies between a hypercall's handler and its caller's memory, and the question who may act on whom.
 *
 * A copied-in structure is the handler's own: what the guest does to the original afterwards does not matter.
 */
#ifndef ABI_ARGS_H
#define ABI_ARGS_H

#include "abi/hypercall.h"
#include "dom/guest_copy.h"
#include "lib/mem.h"

/* Copy *obj in from, or out to, the caller's linear address. -EFAULT. */
#define hc_get(c, ptr, obj) hc_get_bytes((c), (ptr), (obj), sizeof(*(obj)))
#define hc_put(c, ptr, obj) hc_put_bytes((c), (ptr), (obj), sizeof(*(obj)))

static inline int MUST_CHECK hc_get_bytes(struct hc_call *c, uint64_t ptr, void *dst, size_t len)
{
	return guest_copy_from(c->v, dst, ptr, len);
}

static inline int MUST_CHECK hc_put_bytes(struct hc_call *c, uint64_t ptr, const void *src, size_t len)
{
	return guest_copy_to(c->v, ptr, src, len);
}

/* Element i of an array of frame numbers (xen_pfn_t: 8 bytes, 4 for a 32-bit caller). */
static inline int MUST_CHECK hc_get_pfn(struct hc_call *c, uint64_t array, uint64_t i, uint64_t *pfn)
{
	uint32_t narrow;
	int rc;

	if (!c->compat) {
		return hc_get_bytes(c, array + i * sizeof(*pfn), pfn, sizeof(*pfn));
	}
	rc = hc_get_bytes(c, array + i * sizeof(narrow), &narrow, sizeof(narrow));
	*pfn = narrow;
	return rc;
}

static inline int MUST_CHECK hc_put_pfn(struct hc_call *c, uint64_t array, uint64_t i, uint64_t pfn)
{
	uint32_t narrow = (uint32_t)pfn;

	if (!c->compat) {
		return hc_put_bytes(c, array + i * sizeof(pfn), &pfn, sizeof(pfn));
	}
	return hc_put_bytes(c, array + i * sizeof(narrow), &narrow, sizeof(narrow));
}

/* ---- access.c ---- */
bool access_privileged(const struct domain *caller);
/* The domain to act on, with a reference: the caller itself, or, for a privileged caller, any. -EPERM, -ESRCH. */
int access_target(struct hc_call *c, domid_t id, struct domain **d) MUST_CHECK;
/* Any other domain, for a privileged caller: -EPERM for itself too. */
int access_other(struct hc_call *c, domid_t id, struct domain **d) MUST_CHECK;

#endif
