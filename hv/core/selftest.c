/* Self tests of the core on the machine: memory, timers, cross-CPU calls, faults that are caught. */
#include "core/heap.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/sched.h"
#include "core/selftest.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "core/timer.h"
#include "arch/hw.h"
#include "lib/atomic.h"
#include "lib/err.h"
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

/* Scheduler: units on every CPU wake each other in a ring, while one that never blocks competes on CPU 0. */
#define RING_TURNS 200u

struct member {
	struct sched_unit unit;
	struct member *next;
	uint32_t turn;                  /* atomic: how often it was its turn */
	bool done;
};

static struct member ring[8];
static struct member hog;
static uint64_t slept_ns;

static void ring_entry(void *arg)
{
	struct member *m = arg;

	for (uint32_t i = 0; i < RING_TURNS; i++) {
		(void)sched_wait(load_acquire(&m->turn) > i, false);
		atomic_add(&m->next->turn, 1);
		sched_wake(&m->next->unit);
	}
	store_release(&m->done, true);
	sched_exit();
}

static void hog_entry(void *arg)
{
	while (!load_acquire(&hog.done)) {
		sched_check();
		hw_pause();
	}
	sched_exit();
}

/* Two units on one CPU that do nothing but wake each other: what a switch costs. */
#define PING_TURNS 100u

static struct member ping[2];
static uint64_t ping_tsc;

static void ping_entry(void *arg)
{
	struct member *m = arg;

	for (unsigned int i = 0; i < PING_TURNS; i++) {
		sched_block();
		sched_wake(&m->next->unit);
	}
	store_release(&m->done, true);
	sched_exit();
}

static void measure_switch(void)
{
	uint64_t start;

	for (unsigned int i = 0; i < 2; i++) {
		ping[i].next = &ping[!i];
		CHECK(sched_unit_init(&ping[i].unit, "ping", ping_entry, &ping[i], NULL, 0, true) == 0);
		sched_wake(&ping[i].unit);
	}
	start = hw_rdtsc();
	while (!load_acquire(&ping[0].done) || !load_acquire(&ping[1].done)) {
		sched_wake(&ping[0].unit);
		sched_yield();
	}
	ping_tsc = (hw_rdtsc() - start) / (2 * PING_TURNS);
	for (unsigned int i = 0; i < 2; i++) {
		while (READ_ONCE(ping[i].unit.state) != SCHED_EXITED) {
			sched_yield();
		}
		sched_unit_free(&ping[i].unit);
	}
}

static void nothing(void *arg)
{
}

/* TSC ticks of the small things (with an emulator that counts instructions: instructions). */
static void measure(void)
{
	static struct spinlock lock = SPINLOCK_INIT(LOCK_PAGES);
	uint64_t t[6];
	struct timer timer;
	void *p;

	timer_init(&timer, nothing, NULL);
	t[0] = hw_rdtsc();
	t[1] = hw_rdtsc();
	(void)time_now();
	t[2] = hw_rdtsc();
	spin_lock(&lock);
	spin_unlock(&lock);
	t[3] = hw_rdtsc();
	timer_set(&timer, time_now() + 1000000000);
	timer_stop(&timer);
	t[4] = hw_rdtsc();
	p = heap_alloc(64);
	heap_free(p);
	t[5] = hw_rdtsc();
	measure_switch();
	log_info("self test: TSC ticks of time_now %lu, lock and unlock %lu, timer set and stop %lu, heap %lu, wake and switch %lu",
		 t[2] - t[1] - (t[1] - t[0]), t[3] - t[2] - (t[1] - t[0]), t[4] - t[3] - (t[1] - t[0]),
		 t[5] - t[4] - (t[1] - t[0]), ping_tsc);
}

static void wake_main(void *arg)
{
	sched_wake(arg);
}

/* Runs as a unit itself, once the scheduler has started. */
static void sched_test(void *arg)
{
	uint64_t start = time_now(), before = page_count_free();
	struct timer t;

	CHECK(sched_unit_init(&hog.unit, "hog", hog_entry, NULL, NULL, 0, true) == 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(ring); i++) {
		ring[i].next = &ring[(i + 1) % ARRAY_SIZE(ring)];
		CHECK(sched_unit_init(&ring[i].unit, "ring", ring_entry, &ring[i], NULL, i % cpu_count, i & 1) == 0);
		sched_wake(&ring[i].unit);
	}
	sched_wake(&hog.unit);
	/* The timer wakes us in spite of the hog. */
	timer_init(&t, wake_main, sched_current());
	timer_set(&t, start + 5000000);
	(void)sched_wait(time_now() >= start + 5000000, false);
	slept_ns = time_now() - start;
	atomic_add(&ring[0].turn, 1);
	sched_wake(&ring[0].unit);
	for (unsigned int i = 0; i < ARRAY_SIZE(ring); i++) {
		while (!load_acquire(&ring[i].done)) {
			sched_yield();
		}
		sched_unit_free(&ring[i].unit);
	}
	sched_pause(&hog.unit);
	CHECK(!hog.unit.on_stack);
	sched_unpause(&hog.unit);
	store_release(&hog.done, true);
	while (READ_ONCE(hog.unit.state) != SCHED_EXITED) {
		sched_yield();
	}
	log_info("self test: scheduler passed: woken after 5 ms at %lu us, %lu wake-ups in %lu us, hog ran %lu us in %lu turns",
		 slept_ns / 1000, ARRAY_SIZE(ring) * (uint64_t)RING_TURNS, (time_now() - start) / 1000,
		 hog.unit.run_total / 1000, hog.unit.switched);
	sched_unit_free(&hog.unit);
	measure();
	CHECK(page_count_free() + 8 >= before);
	sched_exit();
}

void selftest_run(void)
{
	static struct sched_unit main_unit;

	test_pages();
	test_heap();
	test_timer();
	test_calls();
	test_faults();
	CHECK(sched_unit_init(&main_unit, "selftest", sched_test, NULL, NULL, 0, true) == 0);
	sched_wake(&main_unit);
	log_info("self test: core passed");
}
