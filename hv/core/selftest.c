/* Self tests of the core on the machine: memory, timers, cross-CPU calls, faults that are caught. */
#include "core/heap.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/selftest.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/time.h"
#include "core/timer.h"
#include "arch/hw.h"
#include "lib/atomic.h"
#include "lib/mem.h"

#define CHECK(c)                                              \
	do {                                                  \
		if (!(c)) {                                   \
			panic("self test failed: %s", #c);    \
		}                                             \
	} while (0)

static void test_pages(void)
{
	uint64_t before = page_count_free();
	struct page *a = page_alloc(0), *b = page_alloc(PAGE_ORDER_2M);
	const uint64_t *words;

	CHECK(a && b && !(page_mfn(b).v & 511));
	CHECK(page_count_free() == before - 1 - 512);
	words = page_virt(b);
	for (unsigned int i = 0; i < PAGE_SIZE * 512 / sizeof(*words); i++) {
		CHECK(words[i] == 0);
	}
	memset(page_virt(a), 0xff, PAGE_SIZE);
	CHECK(mfn_page(page_mfn(a)) == a && virt_hpa(page_virt(a)).v == page_mfn(a).v << PAGE_SHIFT);
	page_free(a, 0);
	page_free(b, PAGE_ORDER_2M);
	CHECK(page_count_free() == before);
	page_fail_nth(1);
	CHECK(!page_alloc(0));
	page_fail_nth(0);
}

static void test_heap(void)
{
	static const size_t sizes[] = { 1, 16, 17, 500, 1008, 2016, 2017, 4096, 70000 };
	void *p[ARRAY_SIZE(sizes)];
	uint64_t before = page_count_free();

	for (unsigned int turn = 0; turn < 2; turn++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			p[i] = heap_alloc(sizes[i]);
			CHECK(p[i] && (uint64_t)p[i] % 16 == 0 && *(uint8_t *)p[i] == 0);
			memset(p[i], 0xff, sizes[i]);
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
			heap_free(p[i]);
		}
	}
	/* Each class may keep one page. */
	CHECK(before - page_count_free() <= 8);
}

static void timer_fired(void *arg)
{
	*(uint64_t *)arg = time_now();
}

static void test_timer(void)
{
	uint64_t fired[2] = { 0, 0 }, start = time_now();
	struct timer t[2];

	timer_init(&t[0], timer_fired, &fired[0]);
	timer_init(&t[1], timer_fired, &fired[1]);
	timer_set(&t[0], start + 20000000);
	timer_set(&t[1], start + 10000000);
	while (!fired[0] || !fired[1]) {
		hw_irq_disable();
		if (!softirq_due()) {
			hw_idle();
		}
		hw_irq_enable();
		softirq_run();
	}
	CHECK(fired[0] >= start + 20000000 && fired[1] >= start + 10000000 && fired[1] < fired[0]);
	log_info("self test: timers of 10 and 20 ms fired after %lu and %lu us", (fired[1] - start) / 1000,
		 (fired[0] - start) / 1000);
	timer_set(&t[0], time_now() + 1000000);
	timer_stop(&t[0]);
	CHECK(!timer_armed(&t[0]));
}

static void count_call(void *arg)
{
	atomic_or((uint64_t *)arg, BIT(this_cpu()->id));
}

static void test_calls(void)
{
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t seen = 0;

		smp_call(smp_online_mask(), count_call, &seen);
		CHECK(seen == smp_online_mask());
	}
}

static void test_faults(void)
{
	uint64_t value;

	/* Not every emulator refuses unknown registers; whatever it does, we must survive. */
	log_info("self test: unknown MSR is %s", hw_rdmsr_safe(0x12345, &value) ? "readable" : "refused");
	CHECK(hw_rdmsr_safe(HW_MSR_GS_BASE, &value) && value == (uint64_t)this_cpu());
}

void selftest_run(void)
{
	test_pages();
	test_heap();
	test_timer();
	test_calls();
	test_faults();
	log_info("self test: core passed");
}
