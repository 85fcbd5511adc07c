/* buddy.c: random allocations against a map of who has what; merging; dirty blocks. */
#include <string.h>
#include "core/buddy.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define FRAMES 5000u                    /* not a power of two */

static struct page pages[FRAMES];
static struct buddy b;

static struct rnd random_state = { 88172645463325252 };

static uint64_t any(void)
{
	return rnd_next(&random_state);
}

static void setup(void)
{
	memset(pages, 0, sizeof(pages));
	buddy_init(&b, pages, FRAMES);
}

/* Free [first, end) in the largest aligned blocks. */
static void free_range(uint64_t first, uint64_t end, bool dirty)
{
	while (first < end) {
		unsigned int order = 0;

		while (order < PAGE_ORDER_MAX && !(first & MASK(order + 1)) && first + BIT(order + 1) <= end) {
			order++;
		}
		buddy_free(&b, first, order, dirty);
		first += BIT(order);
	}
}

/* The lists hold exactly the free frames: aligned blocks, no two buddies side by side. */
static void check(const bool *used)
{
	static bool seen[FRAMES];
	uint64_t free = 0;

	memset(seen, 0, sizeof(seen));
	for (unsigned int o = 0; o <= PAGE_ORDER_MAX; o++) {
		list_for_each (pos, &b.list[o]) {
			struct page *p = list_entry(pos, struct page, link);
			uint64_t frame = (uint64_t)(p - pages), other = frame ^ BIT(o);

			MUST(p->state == PAGE_FREE && p->order == o && !(frame & MASK(o)) && frame + BIT(o) <= FRAMES);
			MUST(other + BIT(o) > FRAMES || pages[other].state != PAGE_FREE || pages[other].order != o);
			for (uint64_t i = 0; i < BIT(o); i++) {
				MUST(!used[frame + i] && !seen[frame + i]);
				seen[frame + i] = true;
			}
			free += BIT(o);
		}
	}
	MUST(free == b.free);
	for (unsigned int i = 0; i < FRAMES; i++) {
		MUST(used[i] != seen[i]);
	}
}

START_TEST(test_random)
{
	static bool used[FRAMES];
	struct {
		uint64_t frame;
		unsigned int order;
	} held[200];
	unsigned int n = 0;
	bool dirty;

	memset(used, 0, sizeof(used));
	free_range(0, FRAMES, true);
	check(used);
	for (unsigned int turn = 0; turn < 5000; turn++) {
		if (n < 200 && any() % 5 < 3) {
			unsigned int order = any() % 8;
			uint64_t frame = buddy_alloc(&b, order, &dirty);

			if (frame == BUDDY_NONE) {
				continue;
			}
			MUST(!(frame & MASK(order)));
			memset(used + frame, true, BIT(order));
			held[n].frame = frame;
			held[n++].order = order;
		} else if (n) {
			unsigned int i = any() % n;

			memset(used + held[i].frame, false, BIT(held[i].order));
			buddy_free(&b, held[i].frame, held[i].order, any() & 1);
			held[i] = held[--n];
		}
		if (turn % 50 == 0) {
			check(used);
		}
	}
	while (n) {
		memset(used + held[n - 1].frame, false, BIT(held[n - 1].order));
		n--;
		buddy_free(&b, held[n].frame, held[n].order, false);
	}
	check(used);
	ck_assert_uint_eq(b.free, FRAMES);
	/* Everything merged again: 4096 + 512 + 256 + 128 + 8. */
	ck_assert(buddy_alloc(&b, 12, &dirty) == 0 && buddy_alloc(&b, 12, &dirty) == BUDDY_NONE);
}
END_TEST

/* A clean block stays clean when it is split; a dirty neighbour makes the merged block dirty. */
START_TEST(test_dirty)
{
	uint64_t frame[4];
	bool dirty;

	free_range(0, 4, false);
	for (unsigned int i = 0; i < 4; i++) {
		frame[i] = buddy_alloc(&b, 0, &dirty);
		ck_assert(frame[i] == i && !dirty);
	}
	buddy_free(&b, 0, 0, false);
	buddy_free(&b, 1, 0, true);
	ck_assert_uint_eq(buddy_alloc(&b, 1, &dirty), 0);
	ck_assert(dirty);
	buddy_free(&b, 0, 1, true);
	ck_assert_uint_eq(buddy_alloc(&b, 0, &dirty), 0);
	ck_assert(dirty);
	ck_assert_uint_eq(buddy_alloc(&b, 0, &dirty), 1);
	ck_assert(dirty);
}
END_TEST

START_TEST(test_limits)
{
	bool dirty;

	ck_assert(buddy_alloc(&b, 0, &dirty) == BUDDY_NONE);
	ck_assert(buddy_alloc(&b, PAGE_ORDER_MAX + 1, &dirty) == BUDDY_NONE);
	free_range(100, 101, false);
	ck_assert(buddy_alloc(&b, 1, &dirty) == BUDDY_NONE);
	ck_assert_uint_eq(buddy_alloc(&b, 0, &dirty), 100);
	ck_assert_uint_eq(b.free, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_random, test_dirty, test_limits, NULL };

	return suite_run("buddy", setup, tests);
}
