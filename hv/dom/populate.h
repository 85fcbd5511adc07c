/*
 * What a domain's memory consists of: giving it frames, taking them back, moving and showing them.
 *
 * Owns d->pages, d->tot_pages, d->max_pages (LOCK_DOMPAGES inside), PAGE_F_LISTED and PAGE_F_CHARGED. Every change of the p2m that a
 * guest or tool asks for goes through here, so that a frame that leaves the map is always given up in the way its
 * type wants. Functions that remove translations wait for other CPUs: callers hold no lock.
 */
#ifndef DOM_POPULATE_H
#define DOM_POPULATE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"
#include "lib/util.h"
#include "dom/p2m.h"

struct domain;

/* New zeroed RAM of 2^order frames at gfn, a hole of that size. -EINVAL: alignment or order. -ENOMEM: no memory or
 * over max_pages. -EEXIST: not a hole. Nothing changes on failure. */
int populate_add(struct domain *d, gfn_t gfn, unsigned int order) MUST_CHECK;
/* Make existing frames the domain's RAM, identity-mapped or not, without allocating or mapping: Dom0's builder. */
void populate_adopt(struct domain *d, mfn_t mfn, uint64_t n);
/* Take the RAM frame at gfn away and free it. -EINVAL: not RAM of the domain's own. */
int populate_remove(struct domain *d, gfn_t gfn) MUST_CHECK;
/* Move the RAM frame at src to dst (evicting what is there), keeping the frame itself. -EINVAL: no RAM at src;
 * -EPERM: dst is the machine's. */
int populate_move(struct domain *d, gfn_t src, gfn_t dst) MUST_CHECK;

/* The same for n frames, in the order that overlapping ranges need; *done counts. */
int populate_move_range(struct domain *d, gfn_t src, gfn_t dst, uint64_t n, uint64_t *done) MUST_CHECK;

/* Make gfn a hole, whatever of the guest's was there. -EPERM: the machine's own address. -ENOENT: it was one. */
int populate_evict(struct domain *d, gfn_t gfn) MUST_CHECK;
/* Evict and show a page there: takes over the caller's page reference if the type holds one, also on failure. */
int populate_show(struct domain *d, gfn_t gfn, struct page *page, enum p2m_type type) MUST_CHECK;
/* Give up what p2m_unmap() returned. True: RAM was freed (the device models must forget it). */
bool populate_give_up(struct domain *d, const struct p2m_entry *old);

/* n charged pages are free again, or never came to be. Any context. */
void populate_uncharge(struct domain *d, uint64_t n);
int populate_set_max(struct domain *d, uint64_t pages) MUST_CHECK;
/* Teardown: free up to n listed pages; true when none is left. */
bool populate_release_some(struct domain *d, unsigned int n);

#endif
