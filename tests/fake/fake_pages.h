/*
 * Host frames for tests: an arena, an owner and a count for each frame, allocation that fails when asked to.
 *
 * Freed frames are filled with A5h and are not given out again before the arena is used up, so that a use after free
 * shows. Frame numbers are large, to be told from indexes. Also the locks of core/spinlock.h, which check that none is
 * taken twice.
 */
#ifndef TESTS_FAKE_FAKE_PAGES_H
#define TESTS_FAKE_FAKE_PAGES_H

#include <stdbool.h>
#include <stdint.h>
#include "core/page_alloc.h"

#define FAKE_FRAMES    2048u
#define FAKE_FIRST_MFN 0xabcd00ull

extern struct fake_pages {
	unsigned int used;              /* frames given out and not freed */
	unsigned int allocs;            /* successful ones so far */
	unsigned int fail_at;           /* the n-th allocation from the start fails, and all after it; 0: none */
	unsigned int locks_held;
	void (*on_free)(void);          /* called before a frame is freed; NULL: nothing */
	unsigned int owner_gone;        /* calls of page_owner_gone() */
} fake_pages;

void fake_pages_reset(void);

#endif
