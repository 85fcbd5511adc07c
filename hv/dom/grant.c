/*
 * The grant table: frames, growth, entries and their use counts. See grant.h.
 *
 * The guest writes entries at any time; each is read once, as the 32-bit word {flags, domid}, and changed with
 * compare-and-exchange only.
 */
#include "dom/grant.h"
#include "lib/bug.h"
#include "lib/mem.h"
#include "lib/nospec.h"
#include "core/heap.h"
#include "dom/domain.h"
#include "dom/populate.h"

#define DEFAULT_FRAMES     64
#define LIMIT_FRAMES       1024
#define REFS_PER_FRAME     (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define CAS_TRIES          5

/* Uses of one reference by other domains. */
struct grant_use { uint32_t readers, writers; };

struct grant_frame {
	struct page *page;              /* shared with the guest */
	struct grant_use *use;          /* REFS_PER_FRAME counts */
	gfn_t gfn;                      /* where the guest sees the page */
};

struct grant_table {
	struct spinlock lock;           /* LOCK_GRANT */
	uint32_t frames;                /* [lock] in use */
	uint32_t max_frames;            /* const */
	bool closed;                    /* [lock] the domain is going: no growth, no new uses */
	struct grant_frame *frame;      /* [lock] max_frames of them */
	struct grant_maptrack *maptrack;/* const pointer; own lock */
};

/* The entry as one word: flags in the low half. */
struct entry_word { uint32_t word; uint32_t frame; };
_Static_assert(sizeof(struct grant_entry_v1) == 8 && sizeof(struct entry_word) == 8, "version 1 entry");
_Static_assert(offsetof(struct grant_entry_v1, domid) == 2, "domid is the high half of the word");

/* ---- life ---- */

/* One more frame; called without the lock (it allocates), commits under it. */
static int add_frame(struct domain *d)
{
	struct grant_table *t = d->grant;
	struct page *page = page_alloc_owned(d, 0);
	struct grant_use *use = heap_alloc(REFS_PER_FRAME * sizeof(*use));
	int rc = -ENOMEM;

	if (page != NULL) {
		domain_ref(d);
		page->flags |= PAGE_F_SPECIAL;
	}
	if (page != NULL && use != NULL) {
		rc = -EINVAL;
		spin_lock(&t->lock);
		if (!t->closed && t->frames < t->max_frames) {
			t->frame[t->frames++] = (struct grant_frame){ page, use, GFN_INVALID };
			rc = 0;
		}
		spin_unlock(&t->lock);
	}
	if (rc != 0) {
		heap_free(use);
		if (page != NULL) {
			page_put(page);
		}
	}
	return rc;
}

int grant_init(struct domain *d, int32_t max_frames, int32_t max_maptrack_frames)
{
	struct grant_table *t = heap_new(struct grant_table);
	uint32_t max = max_frames < 0 ? DEFAULT_FRAMES : (uint32_t)max_frames;

	if (t == NULL) {
		return -ENOMEM;
	}
	d->grant = t;
	spin_init(&t->lock, LOCK_GRANT);
	if (max == 0 || max > LIMIT_FRAMES) {
		return -EINVAL;
	}
	t->max_frames = max;
	t->frame = heap_alloc(max * sizeof(t->frame[0]));
	t->maptrack = grant_maptrack_new(max_maptrack_frames);
	if (t->frame == NULL || t->maptrack == NULL) {
		return -ENOMEM;
	}
	return add_frame(d);
}

void grant_release(struct domain *d)
{
	struct grant_table *t = d->grant;

	if (t == NULL) {
		return;
	}
	spin_lock(&t->lock);
	t->closed = true;
	spin_unlock(&t->lock);
	if (t->maptrack != NULL) {
		grant_unmap_all(d);
	}
	for (uint32_t i = 0; i < t->frames; i++) {
		struct page *page;
		spin_lock(&t->lock);
		page = t->frame[i].page;
		t->frame[i].page = NULL;
		t->frame[i].gfn = GFN_INVALID;
		spin_unlock(&t->lock);
		if (page != NULL) {
			page_put(page);
		}
	}
}

void grant_free(struct domain *d)
{
	struct grant_table *t = d->grant;

	if (t == NULL) {
		return;
	}
	for (uint32_t i = 0; i < t->frames; i++) {
		heap_free(t->frame[i].use);
	}
	heap_free(t->frame);
	grant_maptrack_free(t->maptrack);
	heap_free(t);
	d->grant = NULL;
}

struct grant_maptrack *grant_maptrack(struct domain *d)
{
	return d->grant->maptrack;
}

/* ---- frames ---- */

int grant_grow(struct domain *d, uint32_t frames)
{
	struct grant_table *t = d->grant;
	int rc = 0;

	if (frames > t->max_frames) {
		return -EINVAL;
	}
	while (rc == 0 && READ_ONCE(t->frames) < frames) {
		rc = add_frame(d);
	}
	return rc;
}

void grant_size(struct domain *d, uint32_t *frames, uint32_t *max_frames)
{
	*frames = READ_ONCE(d->grant->frames);
	*max_frames = d->grant->max_frames;
}

int grant_get_frame(struct domain *d, uint32_t index, struct page **page)
{
	struct grant_table *t = d->grant;
	int rc;

	if (index >= t->max_frames) {
		return -EINVAL;
	}
	rc = grant_grow(d, index + 1);
	if (rc != 0) {
		return rc;
	}
	index = (uint32_t)nospec_index(index, t->max_frames);
	spin_lock(&t->lock);
	*page = t->frame[index].page;
	if (*page == NULL || !page_get(*page)) {
		rc = -EINVAL;
	}
	spin_unlock(&t->lock);
	return rc;
}

int grant_map_frame(struct domain *d, uint32_t index, gfn_t gfn)
{
	struct grant_table *t = d->grant;
	struct p2m_entry old;
	struct page *page;
	gfn_t from;
	int rc = grant_get_frame(d, index, &page);

	if (rc != 0) {
		return rc;
	}
	rc = populate_show(d, gfn, page, P2M_SPECIAL);
	if (rc == 0) {
		spin_lock(&t->lock);
		from = t->frame[index].gfn;
		t->frame[index].gfn = gfn;
		spin_unlock(&t->lock);
		if (gfn_valid(from) && !gfn_eq(from, gfn) && mfn_eq(p2m_lookup(d, from).mfn, page_mfn(page))) {
			(void)!p2m_unmap(d, from, &old);
		}
	}
	page_put(page);
	return rc;
}

gfn_t grant_frame_gfn(struct domain *d, uint32_t index)
{
	struct grant_table *t = d->grant;
	gfn_t gfn = GFN_INVALID;

	spin_lock(&t->lock);
	if (index < t->frames) {
		gfn = t->frame[index].gfn;
	}
	spin_unlock(&t->lock);
	return gfn;
}

void grant_unhooked(struct domain *d, mfn_t mfn)
{
	struct grant_table *t = d->grant;

	spin_lock(&t->lock);
	for (uint32_t i = 0; i < t->frames; i++) {
		if (t->frame[i].page != NULL && mfn_eq(page_mfn(t->frame[i].page), mfn)) {
			t->frame[i].gfn = GFN_INVALID;
		}
	}
	spin_unlock(&t->lock);
}

/* ---- entries; the lock is held ---- */

static struct entry_word *find_entry(struct grant_table *t, grant_ref_t ref, struct grant_use **use)
{
	uint32_t index = ref / REFS_PER_FRAME;

	if (index >= t->frames) {
		return NULL;
	}
	index = (uint32_t)nospec_index(index, t->frames);
	if (t->frame[index].page == NULL) {
		return NULL;
	}
	*use = &t->frame[index].use[ref % REFS_PER_FRAME];
	return (struct entry_word *)page_virt(t->frame[index].page) + ref % REFS_PER_FRAME;
}

/* Check that the entry grants this and set the in-use bits. */
static int16_t mark_entry(struct entry_word *e, domid_t user, bool write)
{
	uint32_t bits = write ? GTF_reading | GTF_writing : GTF_reading;
	uint32_t old = READ_ONCE(e->word);

	for (unsigned int i = 0; i < CAS_TRIES; i++) {
		if ((old & GTF_type_mask) != GTF_permit_access) {
			return GNTST_general_error;
		}
		if (old >> 16 != user) {
			return GNTST_permission_denied;
		}
		if (write && (old & GTF_readonly)) {
			return GNTST_general_error;
		}
		if (atomic_cas(&e->word, &old, old | bits)) {
			return GNTST_okay;
		}
	}
	return GNTST_general_error;
}

/* Take back the in-use bits that nobody needs any more. */
static void unmark_entry(struct entry_word *e, const struct grant_use *use)
{
	if (use->writers == 0) {
		atomic_and(&e->word, ~(uint32_t)GTF_writing);
	}
	if (use->readers == 0 && use->writers == 0) {
		atomic_and(&e->word, ~(uint32_t)GTF_reading);
	}
}

int16_t grant_acquire(struct domain *granter, grant_ref_t ref, domid_t user, bool write, struct page **page)
{
	struct grant_table *t = granter->grant;
	struct grant_use *use;
	struct entry_word *e;
	int16_t status;
	int rc;

	spin_lock(&t->lock);
	e = t->closed ? NULL : find_entry(t, ref, &use);
	status = e != NULL ? mark_entry(e, user, write) : GNTST_bad_gntref;
	if (status == GNTST_okay) {
		rc = p2m_get_own_page(granter, GFN(READ_ONCE(e->frame)), write, page);
		if (rc != 0) {
			unmark_entry(e, use);
			status = rc == -EPERM ? GNTST_general_error : GNTST_bad_page;
		} else if (write) {
			use->writers++;
		} else {
			use->readers++;
		}
	}
	spin_unlock(&t->lock);
	return status;
}

void grant_release_ref(struct domain *granter, grant_ref_t ref, bool write)
{
	struct grant_table *t = granter->grant;
	uint32_t index = ref / REFS_PER_FRAME;
	struct grant_use *use;

	spin_lock(&t->lock);
	BUG_ON(index >= t->frames);
	use = &t->frame[index].use[ref % REFS_PER_FRAME];
	BUG_ON((write ? use->writers : use->readers) == 0);
	if (write) {
		use->writers--;
	} else {
		use->readers--;
	}
	if (t->frame[index].page != NULL) {
		unmark_entry((struct entry_word *)page_virt(t->frame[index].page) + ref % REFS_PER_FRAME, use);
	}
	spin_unlock(&t->lock);
}

int16_t grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b)
{
	struct grant_table *t = d->grant;
	struct grant_use *use_a, *use_b;
	struct entry_word *ea, *eb, copy;
	int16_t status = GNTST_okay;

	spin_lock(&t->lock);
	ea = t->closed ? NULL : find_entry(t, a, &use_a);
	eb = ea != NULL ? find_entry(t, b, &use_b) : NULL;
	if (eb == NULL) {
		status = GNTST_bad_gntref;
	} else if (use_a->readers + use_a->writers + use_b->readers + use_b->writers != 0) {
		status = GNTST_eagain;
	} else if (a != b) {
		copy = *ea;
		*ea = *eb;
		*eb = copy;
	}
	spin_unlock(&t->lock);
	return status;
}
