/* Host frames and locks for tests: see fake_pages.h. */
#include <check.h>
#include <string.h>
#include "core/spinlock.h"
#include "fake/fake_pages.h"

struct fake_pages fake_pages;
static struct page pages[FAKE_FRAMES];
static uint8_t memory[FAKE_FRAMES][PAGE_SIZE] __attribute__((aligned(4096)));
static unsigned int next;

void fake_pages_reset(void)
{
	memset(&fake_pages, 0, sizeof(fake_pages));
	memset(memory, 0xa5, sizeof(memory));
	for (unsigned int i = 0; i < FAKE_FRAMES; i++) {
		pages[i] = (struct page){ .state = PAGE_FREE };
	}
	next = 0;
}

static bool run_is_free(unsigned int at, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (pages[at + i].state != PAGE_FREE) {
			return false;
		}
	}
	return true;
}

static struct page *take(unsigned int n, enum page_state state, struct domain *owner)
{
	if (fake_pages.fail_at != 0 && fake_pages.allocs + 1 >= fake_pages.fail_at) {
		return NULL;
	}
	for (unsigned int tries = 0; tries < FAKE_FRAMES; tries += n) {
		unsigned int at = ALIGN_UP(next, n) % FAKE_FRAMES;

		next = at + n;
		if (at + n <= FAKE_FRAMES && run_is_free(at, n)) {
			for (unsigned int i = 0; i < n; i++) {
				pages[at + i] = (struct page){ .state = state, .owner = owner, .refs = 1 };
			}
			memset(memory[at], 0, n * PAGE_SIZE);
			fake_pages.allocs++;
			fake_pages.used += n;
			return &pages[at];
		}
	}
	return NULL;
}

static void give_back(struct page *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		ck_assert_int_ne(p[i].state, PAGE_FREE);
		if (fake_pages.on_free != NULL) {
			fake_pages.on_free();
		}
		p[i] = (struct page){ .state = PAGE_FREE };
		memset(memory[p + i - pages], 0xa5, PAGE_SIZE);
	}
	fake_pages.used -= n;
}

struct page *page_alloc(unsigned int order)
{
	return take(1u << order, PAGE_HV, NULL);
}

void page_free(struct page *p, unsigned int order)
{
	ck_assert_int_eq(p->state, PAGE_HV);
	give_back(p, 1u << order);
}

void *page_alloc_virt(void)
{
	struct page *p = page_alloc(0);

	return p != NULL ? page_virt(p) : NULL;
}

void page_free_virt(void *p)
{
	if (p != NULL) {
		page_free(mfn_page(hpa_to_mfn(virt_hpa(p))), 0);
	}
}

struct page *page_alloc_owned(struct domain *d, unsigned int order)
{
	return take(1u << order, PAGE_OWNED, d);
}

bool page_get(struct page *p)
{
	ck_assert_int_eq(p->state, PAGE_OWNED);
	p->refs++;
	return true;
}

bool page_get_owned(struct page *p, const struct domain *d)
{
	if (p->state != PAGE_OWNED || p->owner != d) {
		return false;
	}
	return page_get(p);
}

void page_put(struct page *p)
{
	ck_assert_int_eq(p->state, PAGE_OWNED);
	ck_assert_uint_gt(p->refs, 0);
	if (--p->refs == 0) {
		give_back(p, 1);
		fake_pages.owner_gone++;
	}
}

mfn_t page_mfn(const struct page *p)
{
	return MFN(FAKE_FIRST_MFN + (uint64_t)(p - pages));
}

struct page *mfn_page(mfn_t m)
{
	return m.v >= FAKE_FIRST_MFN && m.v < FAKE_FIRST_MFN + FAKE_FRAMES ? &pages[m.v - FAKE_FIRST_MFN] : NULL;
}

void *page_virt(const struct page *p)
{
	return memory[p - pages];
}

void *mfn_virt(mfn_t m)
{
	struct page *p = mfn_page(m);

	if (p == NULL) {
		ck_abort_msg("frame %#lx is not in the arena", (unsigned long)m.v);
	}
	return page_virt(p);
}

void *hpa_virt(hpa_t a)
{
	return (char *)mfn_virt(hpa_to_mfn(a)) + (a.v & (PAGE_SIZE - 1));
}

hpa_t virt_hpa(const void *p)
{
	uint64_t offset = (uint64_t)((const uint8_t *)p - memory[0]);

	if (offset >= sizeof(memory)) {
		ck_abort_msg("%p is not in the arena", p);
	}
	return HPA((FAKE_FIRST_MFN << PAGE_SHIFT) + offset);
}

void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = (struct spinlock)SPINLOCK_INIT(rank);
}

void spin_lock(struct spinlock *l)
{
	if (l->cpu != 0) {
		ck_abort_msg("lock of rank %u taken twice", l->rank);
	}
	l->cpu = 1;
	fake_pages.locks_held++;
}

void spin_unlock(struct spinlock *l)
{
	if (l->cpu == 0) {
		ck_abort_msg("lock of rank %u is not held", l->rank);
	}
	l->cpu = 0;
	fake_pages.locks_held--;
}
