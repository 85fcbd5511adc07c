/*
 * Host frames: a buddy allocator, and who owns each frame.
 *
 * Every frame of RAM that the hypervisor manages has a struct page. Frames are given out zeroed: scrubbed when
 * freed; memory that is free from start-up on is scrubbed when first given out. A page with an owner belongs to a domain and carries a reference count:
 * one for the owner while it has it, one for each mapping anybody else has of it. The last put
 * frees the frame. Lock: LOCK_PAGES inside; counts are atomic.
 */
#ifndef CORE_PAGE_ALLOC_H
#define CORE_PAGE_ALLOC_H

#include <stdbool.h>
#include <stdint.h>
#include "arch/layout.h"
#include "lib/addr.h"
#include "lib/list.h"
#include "lib/rangeset.h"
#include "lib/util.h"

#define PAGE_ORDER_2M 9
#define PAGE_ORDER_1G 18
#define PAGE_ORDER_MAX PAGE_ORDER_1G

struct domain;

struct page {
	struct list link;               /* free list, or the owner's page list [owner's LOCK_DOMPAGES] */
	struct domain *owner;           /* NULL: the hypervisor's own */
	uint32_t refs;                  /* atomic */
	uint8_t order;                  /* of a free block or of an unowned allocation */
	uint8_t state;                  /* enum page_state */
	uint16_t flags;                 /* PAGE_F_* [owner] */
};

enum page_state { PAGE_RESERVED, PAGE_FREE, PAGE_HV, PAGE_OWNED };

#define PAGE_F_LISTED  1u               /* on its owner's list: the owner's own reference is held */
#define PAGE_F_CHARGED 4u               /* counts in its owner's tot_pages until the frame is free again */
#define PAGE_F_SPECIAL 2u               /* shared info, grant table, ioreq page: never guest RAM */
#define PAGE_F_DIRTY   0x4000u          /* [LOCK_PAGES] first page of a free block that holds old data */
#define PAGE_F_HOLE    0x8000u          /* const: no RAM in this frame */

/* Hypervisor memory: 2^order contiguous zeroed frames, aligned to their size; NULL when there are none. */
struct page *page_alloc(unsigned int order) MUST_CHECK;
void page_free(struct page *p, unsigned int order);
/* One zeroed frame as a pointer. */
void *page_alloc_virt(void) MUST_CHECK;
void page_free_virt(void *p);

/* Frames for a domain: 2^order pages, each owned, refs = 1. No accounting (dom/populate.c's). */
struct page *page_alloc_owned(struct domain *d, unsigned int order) MUST_CHECK;
/* Make [mfn, mfn+n) pages of d, refs = 1, without allocating: Dom0's identity-mapped RAM at start-up. */
void page_assign(struct domain *d, mfn_t mfn, uint64_t n);

/* A further reference; false when the page is being freed (refs already 0). */
bool page_get(struct page *p) MUST_CHECK;
/* As page_get, and only if d owns the page. */
bool page_get_owned(struct page *p, const struct domain *d) MUST_CHECK;
/* Drop a reference; the last one scrubs and frees the frame and tells dom (page_owner_gone). */
void page_put(struct page *p);

mfn_t page_mfn(const struct page *p);
struct page *mfn_page(mfn_t m);         /* NULL: not RAM that we manage */
void *page_virt(const struct page *p);  /* direct map */
#if __STDC_HOSTED__
void *mfn_virt(mfn_t m);
void *hpa_virt(hpa_t a);
#else
static inline void *hpa_virt(hpa_t a)
{
	return (void *)(DIRECT_VIRT + a.v);
}

static inline void *mfn_virt(mfn_t m)
{
	return hpa_virt(mfn_to_hpa(m));
}
#endif
hpa_t virt_hpa(const void *p);          /* direct map or hypervisor image */

uint64_t page_total(void);              /* frames managed */
uint64_t page_count_free(void);
/* Fault injection for tests: the n-th allocation from now fails (0: off). */
void page_fail_nth(uint64_t n);

/* Start-up (arch/boot/early.c): a zeroed array of so many bytes for so many frames; then which parts are free.
 * page_add_free() is also how a range that was reserved until now joins the allocator. */
uint64_t page_array_bytes(uint64_t frames);
void page_init(struct page *array, uint64_t frames, const struct rangeset *ram);
void page_add_free(mfn_t mfn, uint64_t n);

/* Up-call, defined in dom/: the last reference of a page that d owned is gone; its PAGE_F_CHARGED was as given. */
void page_owner_gone(struct domain *d, bool charged);

#endif
