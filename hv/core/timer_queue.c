/*
 * Pairing heap of timers (contract in timer_queue.h).
 *
 * child: first child; next: next sibling; prev: the sibling before, or the parent for a first child.
 */
#include <stddef.h>
#include "core/timer_queue.h"

/* Make the later of two roots the first child of the earlier one. Either may be NULL. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (!a || !b) {
		return a ? a : b;
	}
	if (b->deadline < a->deadline) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->next = a->child;
	if (b->next) {
		b->next->prev = b;
	}
	b->prev = a;
	a->child = b;
	return a;
}

/* Melt a list of siblings into one heap: pairs from the front, then the pairs from the back. */
static struct timer *merge_siblings(struct timer *first)
{
	struct timer *pairs = NULL, *root = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b) {
			b->next = b->prev = NULL;
		}
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *a = pairs;

		pairs = a->next;
		a->next = NULL;
		root = meld(root, a);
	}
	return root;
}

void timer_queue_insert(struct timer_queue *q, struct timer *t)
{
	t->child = t->next = t->prev = NULL;
	q->root = meld(q->root, t);
}

void timer_queue_remove(struct timer_queue *q, struct timer *t)
{
	struct timer *rest = merge_siblings(t->child);

	if (t == q->root) {
		q->root = rest;
	} else {
		if (t->prev->child == t) {
			t->prev->child = t->next;
		} else {
			t->prev->next = t->next;
		}
		if (t->next) {
			t->next->prev = t->prev;
		}
		q->root = meld(q->root, rest);
	}
	t->child = t->next = t->prev = NULL;
}
