/*
 * The radix tree under a guest-physical map: finding, making, splitting and freeing table entries.
 *
 * Level 1 entries map 4 KiB, level 2 2 MiB, level 3 1 GiB. Lock: LOCK_P2M, held by the caller.
 */
#include "dom/p2m_tree.h"
#include "core/page_alloc.h"
#include "lib/atomic.h"

#define ENTRIES 512

static unsigned int index_of(gfn_t gfn, unsigned int level)
{
	return gfn.v >> (9 * (level - 1)) & (ENTRIES - 1);
}

static uint64_t *table_of(const struct p2m *p, uint64_t entry)
{
	return mfn_virt(p2m_fmt_mfn(entry));
}

/* The tree is about to change: nothing that was remembered holds. */
static void forget(struct p2m *p)
{
	p->near_epoch++;
}

uint64_t p2m_tree_find(struct p2m *p, gfn_t gfn, unsigned int *level)
{
	const struct p2m_format *f = p->format;
	const uint64_t *table = hpa_virt(p->root);
	uint64_t e = 0;
	if (gfn.v >> 9 * f->levels != 0) {
		*level = f->levels;
		return 0;
	}
	for (*level = f->levels;; *level -= 1) {
		e = table[index_of(gfn, *level)];
		if (!p2m_fmt_present(f, e) || p2m_fmt_is_leaf(f, e, *level)) {
			break;
		}
		table = table_of(p, e);
	}
	p->near[gfn.v >> 9 & (P2M_NEAR - 1)] = (struct p2m_near){
		.epoch = p->near_epoch,
		.stretch = gfn.v >> 9,
		.table = *level == 1 ? table : NULL,
		.entry = e,
		.level = *level,
	};
	return e;
}

/* Replace a leaf (or an absent entry) at `level` by a table of the next level that says the same. */
static bool split(struct p2m *p, uint64_t *entry, unsigned int level)
{
	const struct p2m_format *f = p->format;
	uint64_t *table = p->max_tables == 0 || p->tables < p->max_tables ? page_alloc_virt() : NULL;
	if (table == NULL) {
		return false;
	}
	uint64_t old = *entry;
	uint64_t step = 1ull << 9 * (level - 2);
	for (unsigned int i = 0; i < ENTRIES; i++) {
		table[i] = p2m_fmt_present(f, old)
				   ? f->leaf(mfn_add(p2m_fmt_mfn(old), i * step), level - 1, f->access(old),
					     p2m_type_cache(p2m_fmt_type(f, old)), p2m_fmt_type(f, old))
				   : f->absent(p2m_fmt_type(f, old));
	}
	if (p2m_fmt_present(f, old)) {
		p->leaves[level - 1]--;
		p->leaves[level - 2] += ENTRIES;
	}
	p->tables++;
	store_release(entry, f->table(hpa_to_mfn(virt_hpa(table))));
	return true;
}

uint64_t *p2m_tree_slot(struct p2m *p, gfn_t gfn, unsigned int level)
{
	const struct p2m_format *f = p->format;
	uint64_t *table = hpa_virt(p->root);
	forget(p);
	if (gfn.v >> 9 * f->levels != 0) {
		return NULL;
	}
	for (unsigned int l = f->levels; l > level; l--) {
		uint64_t *e = &table[index_of(gfn, l)];
		if (!p2m_fmt_present(f, *e) || p2m_fmt_is_leaf(f, *e, l)) {
			if (!split(p, e, l)) {
				return NULL;
			}
		}
		table = table_of(p, *e);
	}
	return &table[index_of(gfn, level)];
}

/* A table that just lost entry `at`: is nothing left? Its neighbours are the likeliest. */
static bool is_empty_around(const uint64_t *table, unsigned int at)
{
	if (table[(at + 1) % ENTRIES] != 0 || table[(at + ENTRIES - 1) % ENTRIES] != 0) {
		return false;
	}
	for (unsigned int i = 0; i < ENTRIES; i++) {
		if (table[i] != 0) {
			return false;
		}
	}
	return true;
}

unsigned int p2m_tree_prune(struct p2m *p, gfn_t gfn, uint64_t emptied[P2M_PRUNE_MAX])
{
	const struct p2m_format *f = p->format;
	uint64_t *path[P2M_PRUNE_MAX + 1];
	uint64_t *table = hpa_virt(p->root);
	unsigned int n = 0;
	unsigned int lowest = f->levels;
	forget(p);
	/* path[l]: the table whose entries are of level l. */
	path[lowest] = table;
	while (lowest > 1) {
		uint64_t e = table[index_of(gfn, lowest)];
		if (!p2m_fmt_present(f, e) || p2m_fmt_is_leaf(f, e, lowest)) {
			break;
		}
		table = table_of(p, e);
		path[--lowest] = table;
	}
	for (unsigned int l = lowest; l < f->levels && is_empty_around(path[l], index_of(gfn, l)); l++) {
		uint64_t *above = &path[l + 1][index_of(gfn, l + 1)];
		emptied[n++] = *above;
		store_release(above, 0ull);
	}
	return n;
}

void p2m_tree_free_table(struct p2m *p, uint64_t entry)
{
	p->tables--;
	page_free_virt(table_of(p, entry));
}

/* Depth first; every entry that has been visited is 0, so the next call goes on where this one stopped. */
static bool walk(struct p2m *p, uint64_t *table, unsigned int level, unsigned int *budget,
		 p2m_tree_fn fn, void *arg)
{
	const struct p2m_format *f = p->format;
	for (unsigned int i = 0; i < ENTRIES; i++) {
		uint64_t e = table[i];
		if (e == 0) {
			continue;
		}
		if (p2m_fmt_present(f, e) && !p2m_fmt_is_leaf(f, e, level)) {
			if (!walk(p, table_of(p, e), level - 1, budget, fn, arg)) {
				return false;
			}
			p2m_tree_free_table(p, e);
		} else {
			if (*budget == 0) {
				return false;
			}
			*budget -= 1;
			fn(arg, e, level);
			p->leaves[level - 1] -= p2m_fmt_present(f, e);
		}
		table[i] = 0;
	}
	return true;
}

bool p2m_tree_drain(struct p2m *p, unsigned int budget, p2m_tree_fn fn, void *arg)
{
	forget(p);
	return walk(p, hpa_virt(p->root), p->format->levels, &budget, fn, arg);
}
