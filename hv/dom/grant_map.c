/*
 * Mapping other domains' granted pages into a guest-physical map, and the handles of such mappings.
 *
 * A live mapping holds: a use count of the granter's reference, a reference to the granter, one page reference of its
 * own and one in the p2m entry. So the granter's memory stays until the mapper lets go, whatever happens to the entry.
 */
#include "dom/grant.h"
#include "core/heap.h"
#include "dom/domain.h"
#include "dom/populate.h"

#define DEFAULT_MAPTRACK_FRAMES 1024
#define TRACKS_PER_BLOCK        64
#define HANDLES_PER_FRAME       256     /* how the ABI's limit in frames is counted */
#define PREEMPT_ITEMS           64
#define MAX_HANDLES             (DEFAULT_MAPTRACK_FRAMES * HANDLES_PER_FRAME)

struct track {
	struct domain *granter;         /* NULL: free */
	struct page *page;
	grant_ref_t ref;
	gfn_t gfn;
	bool readonly;
	bool live;                      /* complete: may be unmapped */
};

struct grant_maptrack {
	struct spinlock lock;           /* LOCK_GRANT; never together with a table's */
	uint32_t limit;                 /* const: handles at most */
	uint32_t blocks;                /* [lock] */
	uint32_t hint;                  /* [lock] no free handle below */
	uint32_t max_blocks;            /* const */
	struct track **block;           /* [lock] */
};

struct grant_maptrack *grant_maptrack_new(int32_t max_frames)
{
	struct grant_maptrack *m = heap_new(struct grant_maptrack);
	uint32_t frames = max_frames < 0 || max_frames > DEFAULT_MAPTRACK_FRAMES ? DEFAULT_MAPTRACK_FRAMES
										 : (uint32_t)max_frames;

	if (m == NULL) {
		return NULL;
	}
	spin_init(&m->lock, LOCK_GRANT);
	m->limit = frames * HANDLES_PER_FRAME;
	m->max_blocks = m->limit / TRACKS_PER_BLOCK;
	m->block = heap_alloc((m->max_blocks + 1) * sizeof(m->block[0]));
	if (m->block == NULL) {
		heap_free(m);
		return NULL;
	}
	return m;
}

void grant_maptrack_free(struct grant_maptrack *m)
{
	if (m == NULL) {
		return;
	}
	for (uint32_t i = 0; i < m->blocks; i++) {
		heap_free(m->block[i]);
	}
	heap_free(m->block);
	heap_free(m);
}

/* The lock is held. */
static struct track *find_track(struct grant_maptrack *m, grant_handle_t handle)
{
	if (handle / TRACKS_PER_BLOCK >= m->blocks) {
		return NULL;
	}
	return &m->block[handle / TRACKS_PER_BLOCK][handle % TRACKS_PER_BLOCK];
}

/* Store a mapping that is not live yet under a free handle. */
static bool take_handle(struct grant_maptrack *m, const struct track *new, grant_handle_t *handle)
{
	bool found = false;

	spin_lock(&m->lock);
	for (uint32_t h = m->hint; !found && h < m->limit; h++) {
		if (h / TRACKS_PER_BLOCK >= m->blocks) {
			m->block[m->blocks] = heap_alloc(TRACKS_PER_BLOCK * sizeof(struct track));
			if (m->block[m->blocks] == NULL) {
				break;
			}
			m->blocks++;
		}
		if (find_track(m, h)->granter == NULL) {
			*find_track(m, h) = *new;
			*handle = h;
			m->hint = h + 1;
			found = true;
		}
	}
	spin_unlock(&m->lock);
	return found;
}

static void free_handle(struct grant_maptrack *m, grant_handle_t handle)
{
	spin_lock(&m->lock);
	*find_track(m, handle) = (struct track){ 0 };
	m->hint = MIN(m->hint, handle);
	spin_unlock(&m->lock);
}

static void set_live(struct grant_maptrack *m, grant_handle_t handle)
{
	spin_lock(&m->lock);
	find_track(m, handle)->live = true;
	spin_unlock(&m->lock);
}

/* Give up what a mapping holds besides its p2m entry. */
static void drop_track(const struct track *t)
{
	grant_release_ref(t->granter, t->ref, !t->readonly);
	page_put(t->page);
	domain_put(t->granter);
}

static int16_t status_of(int rc)
{
	return rc == -ENOMEM ? GNTST_no_device_space : GNTST_general_error;
}

int16_t grant_map(struct domain *d, struct domain *granter, grant_ref_t ref, gfn_t gfn, bool readonly,
		  grant_handle_t *handle, mfn_t *mfn)
{
	struct grant_maptrack *m = grant_maptrack(d);
	struct track t = { .granter = granter, .ref = ref, .gfn = gfn, .readonly = readonly };
	int16_t status = grant_acquire(granter, ref, d->id, !readonly, &t.page);
	int rc;

	if (status != GNTST_okay) {
		return status;
	}
	domain_ref(granter);
	if (!take_handle(m, &t, handle)) {
		drop_track(&t);
		return GNTST_no_space;
	}
	rc = -EINVAL;
	if (page_get(t.page)) {
		rc = populate_show(d, gfn, t.page, readonly ? P2M_GRANT_RO : P2M_GRANT_RW);
	}
	if (rc != 0) {
		free_handle(m, *handle);
		drop_track(&t);
		return status_of(rc);
	}
	*mfn = page_mfn(t.page);
	set_live(m, *handle);
	return GNTST_okay;
}

/* Make the guest frame a hole, if the mapping is still what is there. */
static void unmap_frame(struct domain *d, const struct track *t)
{
	struct p2m_entry e = p2m_lookup(d, t->gfn);

	if ((e.type == P2M_GRANT_RW || e.type == P2M_GRANT_RO) && mfn_eq(e.mfn, page_mfn(t->page)) &&
	    p2m_unmap(d, t->gfn, &e) == 0) {
		(void)populate_give_up(d, &e);
	}
}

int16_t grant_unmap(struct domain *d, grant_handle_t handle, gfn_t gfn)
{
	struct grant_maptrack *m = grant_maptrack(d);
	int16_t status = GNTST_bad_handle;
	struct track *t, copy;

	spin_lock(&m->lock);
	t = find_track(m, handle);
	if (t != NULL && t->granter != NULL && t->live) {
		if (gfn_valid(gfn) && !gfn_eq(gfn, t->gfn)) {
			status = GNTST_bad_virt_addr;
		} else {
			copy = *t;
			t->live = false; /* nobody else unmaps it; the handle is reused only when all is done */
			status = GNTST_okay;
		}
	}
	spin_unlock(&m->lock);
	if (status != GNTST_okay) {
		return status;
	}
	unmap_frame(d, &copy);
	drop_track(&copy);
	free_handle(m, handle);
	return GNTST_okay;
}

void grant_unmap_all(struct domain *d)
{
	struct grant_maptrack *m = grant_maptrack(d);
	uint32_t blocks = READ_ONCE(m->blocks);

	for (uint32_t h = 0; h < blocks * TRACKS_PER_BLOCK; h++) {
		(void)grant_unmap(d, h, GFN_INVALID);
		if (h % PREEMPT_ITEMS == 0) {
			sched_check();
		}
	}
}
