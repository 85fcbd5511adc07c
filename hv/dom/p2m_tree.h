/* Private to p2m.c: the radix tree (p2m_tree.c). The caller holds LOCK_P2M. */
#ifndef DOM_P2M_TREE_H
#define DOM_P2M_TREE_H

#include <stddef.h>
#include "dom/p2m.h"

/* p2m_tree_get() from the root down; remembers what it found. */
uint64_t p2m_tree_find(struct p2m *p, gfn_t gfn, unsigned int *level);

/* What is remembered of gfn, or NULL. */
static inline const struct p2m_near *p2m_tree_near(const struct p2m *p, gfn_t gfn)
{
	const struct p2m_near *n = &p->near[gfn.v >> 9 & (P2M_NEAR - 1)];
	return n->epoch == p->near_epoch && n->stretch == gfn.v >> 9 ? n : NULL;
}

static inline uint64_t p2m_near_entry(const struct p2m_near *n, gfn_t gfn)
{
	return n->table != NULL ? n->table[gfn.v & 511] : n->entry;
}

/* The entry that decides over gfn, and its level. Frames beyond the format's reach: 0 (hole). */
static inline uint64_t p2m_tree_get(struct p2m *p, gfn_t gfn, unsigned int *level)
{
	const struct p2m_near *n = p2m_tree_near(p, gfn);
	if (n == NULL) {
		return p2m_tree_find(p, gfn, level);
	}
	*level = n->level;
	return p2m_near_entry(n, gfn);
}

/* The entry of gfn at exactly this level; tables are made and larger leaves split on the way. NULL: no memory, or
 * gfn is out of reach. */
uint64_t *p2m_tree_slot(struct p2m *p, gfn_t gfn, unsigned int level);
/* Take the tables on gfn's path that hold nothing (any more) out of the tree. Returns their entries, to be given to
 * p2m_tree_free_table once no walker can have them cached. */
#define P2M_PRUNE_MAX 4
unsigned int p2m_tree_prune(struct p2m *p, gfn_t gfn, uint64_t emptied[P2M_PRUNE_MAX]);
/* Free the table that the entry pointed to; nothing is below it. */
void p2m_tree_free_table(struct p2m *p, uint64_t entry);
/* Call fn for entries that are not plain holes and clear them, at most budget of them; frees emptied tables. True:
 * nothing is left. */
typedef void (*p2m_tree_fn)(void *arg, uint64_t entry, unsigned int level);
bool p2m_tree_drain(struct p2m *p, unsigned int budget, p2m_tree_fn fn, void *arg);

#endif
