/*
 * Grant tables, version 1: the table itself, and mapping and copying other domains' granted pages.
 *
 * Owns struct grant_table of each domain: the shared frames, the count of mappings behind each reference, and the
 * handles of what the domain itself has mapped. Lock: LOCK_GRANT per domain, inside; it is never held while the p2m of
 * the mapper changes. Status codes are GNTST_*; plain errors are -errno.
 */
#ifndef DOM_GRANT_H
#define DOM_GRANT_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include "lib/addr.h"
#include "lib/util.h"

struct domain;
struct page;

/* ---- grant.c ---- */
int grant_init(struct domain *d, int32_t max_frames, int32_t max_maptrack_frames) MUST_CHECK;
void grant_release(struct domain *d);   /* drops all the domain's own mappings and the shared frames */
void grant_free(struct domain *d);

/* The shared frame `index`, with a page reference; grows the table to it. -EINVAL: beyond the limit. */
int grant_get_frame(struct domain *d, uint32_t index, struct page **page) MUST_CHECK;
/* XENMAPSPACE_grant_table: show frame `index` at gfn (evicting what is there) and nowhere else. */
int grant_map_frame(struct domain *d, uint32_t index, gfn_t gfn) MUST_CHECK;
/* Where the guest sees a frame; GFN_INVALID: nowhere, or no such frame. */
gfn_t grant_frame_gfn(struct domain *d, uint32_t index);
/* The p2m entry of a special frame is gone. */
void grant_unhooked(struct domain *d, mfn_t mfn);
void grant_size(struct domain *d, uint32_t *frames, uint32_t *max_frames);
/* Make the table at least this large. -EINVAL: beyond the limit. */
int grant_grow(struct domain *d, uint32_t frames) MUST_CHECK;
/* Exchange two entries. GNTST_*. */
int16_t grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b);

/* Count one more (or one less) access by `user` to granter's reference; *page comes with a reference. GNTST_*. */
int16_t grant_acquire(struct domain *granter, grant_ref_t ref, domid_t user, bool write, struct page **page);
void grant_release_ref(struct domain *granter, grant_ref_t ref, bool write);

/* ---- grant_map.c ---- */
struct grant_maptrack;
struct grant_maptrack *grant_maptrack_new(int32_t max_frames) MUST_CHECK;
void grant_maptrack_free(struct grant_maptrack *m);
struct grant_maptrack *grant_maptrack(struct domain *d);
/* Map one reference of granter at gfn of d. Fills *handle. GNTST_*. */
int16_t grant_map(struct domain *d, struct domain *granter, grant_ref_t ref, gfn_t gfn, bool readonly,
		  grant_handle_t *handle, mfn_t *mfn);
/* Unmap; gfn is where the caller says that it is, or GFN_INVALID. GNTST_*. */
int16_t grant_unmap(struct domain *d, grant_handle_t handle, gfn_t gfn);
/* Teardown: unmap everything d has mapped. */
void grant_unmap_all(struct domain *d);

/* ---- grant_copy.c ---- */
struct grant_copy_end {
	struct domain *domain;
	bool is_ref;
	uint64_t frame;                 /* reference or guest frame */
	uint16_t offset;
};
int16_t grant_copy(struct domain *caller, const struct grant_copy_end *src, const struct grant_copy_end *dst,
		   uint16_t len);

#endif
