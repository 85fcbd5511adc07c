/*
 * page_alloc.c over an array: whatever was in a frame before, nobody gets it; references; what was refused changed nothing.
 */
#include <string.h>

#include "core/page_alloc.h"
#include "core/percpu.h"
#include "core/spinlock.h"
#include "fake/layout_fake.h"
#include "fake/rnd.h"
#include "fake/suite.h"
#include "lib/rangeset.h"

#define FRAMES 1024u
#define OLD    0xd7                     /* what memory holds that somebody had before */

struct domain {
	int unused;
};

unsigned char fake_ram[FRAMES * PAGE_SIZE] __attribute__((aligned(1 << 22)));
static struct page pages[FRAMES];
static struct cpu cpu;
static struct domain alice, bob;
static unsigned int gone;

struct cpu *hw_cpu_base(void) { return &cpu; }
uint64_t spin_lock_irqsave(struct spinlock *l) { return 0; }
void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags) { }
void *hpa_virt(hpa_t a) { return fake_ram + a.v; }
void *mfn_virt(mfn_t m) { return hpa_virt(mfn_to_hpa(m)); }
void page_owner_gone(struct domain *d, bool charged) { gone++; }

static void setup(void)
{
	struct range range = { 0, FRAMES * PAGE_SIZE - 1 };
	struct rangeset ram = { &range, 1, 1 };

	memset(pages, 0, sizeof(pages));
	memset(fake_ram, OLD, sizeof(fake_ram));
	gone = 0;
	page_init(pages, FRAMES, &ram);
	page_add_free(MFN(0), FRAMES);
	ck_assert_uint_eq(page_count_free(), FRAMES);
}

static bool zero(const struct page *p, unsigned int order)
{
	const unsigned char *bytes = page_virt(p);

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, (PAGE_SIZE << order) - 1) == 0;
}

/* Memory that nobody has had since the machine was switched on holds whatever the firmware left. */
START_TEST(test_first_use)
{
	for (unsigned int order = 0; order <= PAGE_ORDER_2M; order++) {
		struct page *p = order & 1 ? page_alloc(order) : page_alloc_owned(&alice, order);

		if (p == NULL) {
			break;
		}
		ck_assert(zero(p, order));
	}
}
END_TEST

struct held {
	struct page *p;
	unsigned int order;
	bool owned;
};

static void give_back(struct held *h)
{
	for (unsigned int i = 0; h->owned && i < 1u << h->order; i++) {
		page_put(&h->p[i]);
	}
	if (!h->owned) {
		page_free(h->p, h->order);
	}
	h->p = NULL;
}

/* Guests and the hypervisor take and give back, write over everything they have: each finds zeros only. */
START_TEST(test_never_old_data)
{
	struct rnd rnd = { 0x5eed };
	struct held held[64] = { { 0 } };
	unsigned int taken = 0, refused = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		struct held *h = &held[rnd_below(&rnd, 64)];

		if (h->p != NULL) {
			give_back(h);
			continue;
		}
		h->order = (unsigned int)rnd_below(&rnd, 6);
		h->owned = rnd_next(&rnd) & 1;
		h->p = h->owned ? page_alloc_owned(rnd_next(&rnd) & 1 ? &alice : &bob, h->order) : page_alloc(h->order);
		if (h->p == NULL) {
			refused++;
			continue;
		}
		taken++;
		MUST(zero(h->p, h->order));
		memset(page_virt(h->p), OLD, PAGE_SIZE << h->order);
	}
	ck_assert_uint_ge(taken, 8000);
	for (unsigned int i = 0; i < 64; i++) {
		if (held[i].p != NULL) {
			give_back(&held[i]);
		}
	}
	ck_assert_uint_eq(page_count_free(), FRAMES);
	ck_assert_uint_ge(gone, 1000);
}
END_TEST

/* A page that somebody else still maps stays as it is, and is scrubbed when the last reference goes. */
START_TEST(test_last_reference)
{
	struct page *p = page_alloc_owned(&alice, 0), *q;

	memset(page_virt(p), OLD, PAGE_SIZE);
	ck_assert(page_get_owned(p, &alice));
	ck_assert(!page_get_owned(p, &bob));
	page_put(p);
	ck_assert_int_eq(*(unsigned char *)page_virt(p), OLD);
	ck_assert_uint_eq(gone, 0);
	page_put(p);
	ck_assert_uint_eq(gone, 1);
	ck_assert(zero(p, 0));
	ck_assert(!page_get(p));
	q = page_alloc_owned(&bob, 0);
	ck_assert(zero(q, 0));
	page_put(q);
}
END_TEST

START_TEST(test_refused)
{
	page_fail_nth(2);
	struct page *p = page_alloc(0);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_null(page_alloc(0));
	page_free(p, 0);
	ck_assert_uint_eq(page_count_free(), FRAMES);
	ck_assert_ptr_null(page_alloc(PAGE_ORDER_1G));
	ck_assert_uint_eq(page_count_free(), FRAMES);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_first_use, test_never_old_data, test_last_reference, test_refused, NULL };

	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	return suite_run("page_alloc", setup, tests);
}
