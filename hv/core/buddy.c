/* The buddy system (contract in buddy.h; Knuth, The Art of Computer Programming, "Dynamic storage allocation"). */
#include "core/buddy.h"
#include "lib/bug.h"

void buddy_init(struct buddy *b, struct page *pages, uint64_t count)
{
	b->page = pages;
	b->count = count;
	b->free = 0;
	for (unsigned int i = 0; i <= PAGE_ORDER_MAX; i++) {
		list_init(&b->list[i]);
	}
}

static void put(struct buddy *b, uint64_t frame, unsigned int order, bool dirty)
{
	struct page *p = &b->page[frame];

	p->state = PAGE_FREE;
	p->order = (uint8_t)order;
	p->flags = dirty ? PAGE_F_DIRTY : 0;
	list_add_head(&b->list[order], &p->link);
}

/* Only the first page of a free block says so; the others look allocated. */
static void unput(struct page *p)
{
	list_del(&p->link);
	p->state = PAGE_HV;
	p->flags = 0;
}

uint64_t buddy_alloc(struct buddy *b, unsigned int order, bool *dirty)
{
	unsigned int o = order;
	struct page *p;
	uint64_t frame;

	if (order > PAGE_ORDER_MAX) {
		return BUDDY_NONE;
	}
	while (o <= PAGE_ORDER_MAX && list_empty(&b->list[o])) {
		o++;
	}
	if (o > PAGE_ORDER_MAX) {
		return BUDDY_NONE;
	}
	p = list_entry(b->list[o].next, struct page, link);
	frame = (uint64_t)(p - b->page);
	*dirty = p->flags & PAGE_F_DIRTY;
	unput(p);
	/* Keep the lower half, return the upper ones. */
	while (o > order) {
		o--;
		put(b, frame + BIT(o), o, *dirty);
	}
	p->order = (uint8_t)order;
	b->free -= BIT(order);
	return frame;
}

void buddy_free(struct buddy *b, uint64_t frame, unsigned int order, bool dirty)
{
	BUG_ON(order > PAGE_ORDER_MAX || frame & MASK(order) || frame + BIT(order) > b->count);
	BUG_ON(b->page[frame].state == PAGE_FREE);
	b->free += BIT(order);
	while (order < PAGE_ORDER_MAX) {
		uint64_t other = frame ^ BIT(order);
		struct page *p = &b->page[other];

		if (other + BIT(order) > b->count || p->state != PAGE_FREE || p->order != order) {
			break;
		}
		dirty |= (p->flags & PAGE_F_DIRTY) != 0;
		unput(p);
		b->page[frame].state = PAGE_HV;
		frame &= ~BIT(order);
		order++;
	}
	put(b, frame, order, dirty);
}
