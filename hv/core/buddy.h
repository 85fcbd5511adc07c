/*
 * The buddy system over an array of struct page: which blocks of 2^order frames are free. Pure: no lock, no
 * knowledge of where frames are; frame numbers are indexes of the array.
 *
 * A block remembers whether it may hold old data (PAGE_F_DIRTY on its first page); whoever takes a dirty
 * block scrubs it before use.
 */
#ifndef CORE_BUDDY_H
#define CORE_BUDDY_H

#include "core/page_alloc.h"

struct buddy {
	struct page *page;              /* const */
	uint64_t count;                 /* const: frames in the array */
	uint64_t free;                  /* frames free */
	struct list list[PAGE_ORDER_MAX + 1];
};

#define BUDDY_NONE (~0ull)

void buddy_init(struct buddy *b, struct page *pages, uint64_t count);
/* First frame of a block taken off the lists, or BUDDY_NONE. *dirty: it must be scrubbed. */
uint64_t buddy_alloc(struct buddy *b, unsigned int order, bool *dirty);
/* Give back a block aligned to its size. BUG when a part of it is free already. */
void buddy_free(struct buddy *b, uint64_t frame, unsigned int order, bool dirty);

#endif
