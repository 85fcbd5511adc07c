/*
 * The guest-physical map of one domain: guest frame -> what is there.
 *
 * Rules: every change goes through these functions; a frame taken out is given up (page_put) only after the flush
 * that retires old translations. Entries of type FOREIGN and GRANT hold one page reference; RAM entries hold
 * none beyond the owner's own (PAGE_F_LISTED). Lock: d->p2m.lock inside (LOCK_P2M).
 */
#ifndef DOM_P2M_H
#define DOM_P2M_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"
#include "lib/util.h"
#include "core/spinlock.h"
#include "core/page_alloc.h"
#include "arch/p2m_format.h"

enum p2m_type {
	P2M_HOLE,               /* nothing: an access goes to the device model, or reads all-ones */
	P2M_RAM,                /* the domain's own memory */
	P2M_RAM_RO,             /* own memory, writes are dropped (ROM) */
	P2M_MMIO_DM,            /* explicitly the device model's, even over what was RAM */
	P2M_MMIO_DIRECT,        /* the machine's own addresses (Dom0) */
	P2M_FOREIGN,            /* another domain's frame */
	P2M_GRANT_RW, P2M_GRANT_RO,
	P2M_SPECIAL,            /* a hypervisor-owned page shown to the guest: shared info, grant table */
	P2M_TYPES
};

struct domain;

/* A 2 MiB stretch of frames that was looked up lately: its table of 4 KiB entries, or the larger entry that decides. */
#define P2M_NEAR 64
struct p2m_near {
	uint64_t epoch;                         /* p2m.near_epoch when it was written: else it means nothing */
	uint64_t stretch;                       /* gfn >> 9 */
	const uint64_t *table;                  /* NULL: `entry` decides */
	uint64_t entry;
	unsigned int level;                     /* of `entry` */
};

struct p2m {
	const struct p2m_format *format;        /* const after init */
	struct spinlock lock;                   /* LOCK_P2M */
	hpa_t root;                             /* const after init */
	uint64_t gen;                           /* [lock; atomic reads] counts changes that need a flush */
	uint64_t max_gfn;                       /* [lock] highest populated */
	uint64_t tables;                        /* [lock] frames used for tables */
	uint64_t max_tables;                    /* [lock] 0: any number */
	bool closed;                            /* [lock] being torn down: nothing is mapped any more */
	uint64_t leaves[3];                     /* [lock] present leaves of 4 KiB, 2 MiB, 1 GiB */
	uint64_t near_epoch;                    /* [lock] counts changes of the tree, from 1 */
	struct p2m_near near[P2M_NEAR];         /* [lock] p2m_tree.c's */
};

struct p2m_entry {
	mfn_t mfn;              /* of exactly this gfn; MFN_INVALID for holes */
	enum p2m_type type;
	unsigned int order;     /* size of the leaf that maps it */
};

/* For a guest of so many pages. Tables are memory that nobody counts as the guest's: without a limit it could use up the
 * machine's by moving one frame from place to place. This is enough for all of it in 4 KiB leaves, four times over. */
void p2m_set_limit(struct domain *d, uint64_t pages);
int p2m_init(struct p2m *p, const struct p2m_format *format);
void p2m_free(struct p2m *p);                   /* tables only; references were given up by p2m_teardown */

struct p2m_entry p2m_lookup(struct domain *d, gfn_t gfn);

/* Map 2^order frames (0, 9, 18; aligned). What was there must be a hole, else -EEXIST. Takes over the caller's page
 * reference for FOREIGN/GRANT types. -ENOMEM: no memory for tables, or too many of them; nothing changed. */
int p2m_map(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type) MUST_CHECK;
/* Take the entry out; *old tells what it was, with its page reference if the type held one (the caller puts it). The
 * translation is retired everywhere when this returns. -ENOENT: hole. */
int p2m_unmap(struct domain *d, gfn_t gfn, struct p2m_entry *old) MUST_CHECK;
/* Change the type of a present 4 KiB range in place (RAM <-> RAM_RO <-> MMIO_DM). -EINVAL: not such an entry. */
int p2m_set_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to) MUST_CHECK;

/*
 * The page behind a guest frame, with a reference for the caller (page_put when done): RAM, FOREIGN, GRANT and
 * SPECIAL entries. write: it must be writable (RAM_RO and GRANT_RO are not).
 * -EINVAL: no such memory. -EPERM: not writable.
 */
int p2m_get_page(struct domain *d, gfn_t gfn, bool write, struct page **page) MUST_CHECK;
/* As p2m_get_page, but only memory that d itself owns: for what is to be shared with others. */
int p2m_get_own_page(struct domain *d, gfn_t gfn, bool write, struct page **page) MUST_CHECK;

/* Read a few bytes within one page of guest memory, without taking a reference: page-table entries, code. False: no
 * memory there. */
/* The same between p2m_lock() and p2m_unlock(), for a walk of several reads: no other function of this file then. */
void p2m_lock(struct domain *d);
void p2m_unlock(struct domain *d);
/* Where the bytes are, if they lie in one page of memory that may be accessed so, else NULL. Good until p2m_unlock(). */
void *p2m_bytes_locked(struct domain *d, gpa_t gpa, unsigned int size, bool write);
bool p2m_read_locked(struct domain *d, gpa_t gpa, void *buf, unsigned int size);
/* False also when the memory there may not be written. */
bool p2m_write_locked(struct domain *d, gpa_t gpa, const void *buf, unsigned int size);
/* Or bits into 4 or 8 bytes, if they still are `old`. */
void p2m_set_bits_locked(struct domain *d, gpa_t gpa, uint64_t old, uint64_t bits, unsigned int size);
bool p2m_read(struct domain *d, gpa_t gpa, void *buf, unsigned int size);

/* Give up every entry, in steps: -ERESTART until done (budget: entries a step). Only of a dying domain. */
int p2m_teardown(struct domain *d, unsigned int budget) MUST_CHECK;
/* Memory type of one p2m type: device windows are not ordinary memory. */
enum p2m_cache p2m_type_cache(enum p2m_type type);
/* Access of one type, as the processor will enforce it. */
enum p2m_access p2m_type_access(enum p2m_type type);

#endif
