/*
 * Parallel load for a guest with several processors, and what must hold meanwhile.
 *
 * usage: smpload SECONDS
 * On every processor at once: clocks that must not go back from one processor to the next, wake-ups of a partner on another
 * processor (reschedule interrupts), mappings replaced under readers (TLB shoot-downs), short sleeps (timers), floating point
 * with a known result, and one thread that hops from processor to processor. Prints one line a kind; exits 0 when all held.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define CPUS_MAX   64
#define KINDS      6
#define LOST_MS    20000        /* longer than any wait that a loaded emulator makes of a wake-up */
#define PAGE       4096u
#define REMAPS     16u
#define NS         1000000000ull

static _Atomic bool stop;
static unsigned int cpus;
static _Atomic unsigned int failures;

struct worker {
	pthread_t thread;
	unsigned int cpu, index;
	uint64_t rounds, worst;
	int in, out;            /* pipes of the partners */
};

static uint64_t now_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static void fail(const char *what, unsigned int cpu, uint64_t a, uint64_t b)
{
	if (atomic_fetch_add(&failures, 1) < 20) {
		printf("smpload: FAILED %s on CPU %u: %llu, %llu\n", what, cpu, (unsigned long long)a,
		       (unsigned long long)b);
	}
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0) {
		fail("sched_setaffinity", cpu, (uint64_t)errno, 0);
	}
}

/* ---- clocks: what one processor has read, none reads less of afterwards ---- */

static _Atomic uint64_t last[2];

static uint64_t read_clock(unsigned int which)
{
	uint64_t tsc;

	if (which == 0) {
		return now_ns(CLOCK_MONOTONIC);
	}
	/* Not every machine of the tests has RDTSCP. */
	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}

static void *clocks(void *arg)
{
	struct worker *w = arg;

	pin(w->cpu);
	while (!stop) {
		for (unsigned int i = 0; i < 2000; i++) {
			uint64_t before = atomic_load(&last[i & 1]), t = read_clock(i & 1);

			if (t < before) {
				fail(i & 1 ? "TSC went back" : "clock went back", w->cpu, before, t);
			}
			while (before < t && !atomic_compare_exchange_weak(&last[i & 1], &before, t)) {
			}
			w->rounds++;
		}
		usleep(2000);
	}
	return NULL;
}

/* ---- wake-ups: a byte goes round in a ring of processors ---- */

static void *ring(void *arg)
{
	struct worker *w = arg;
	uint8_t byte = 0;

	pin(w->cpu);
	for (;;) {
		struct pollfd p = { .fd = w->in, .events = POLLIN };
		uint64_t start = now_ns(CLOCK_MONOTONIC), waited;
		int n = poll(&p, 1, LOST_MS);

		waited = now_ns(CLOCK_MONOTONIC) - start;
		w->worst = waited > w->worst ? waited : w->worst;
		if (stop) {
			(void)!write(w->out, &byte, 1);
			return NULL;
		}
		if (n != 1) {
			fail("wake-up lost", w->cpu, waited, w->rounds);
			return NULL;
		}
		if (read(w->in, &byte, 1) != 1 || write(w->out, &byte, 1) != 1) {
			fail("pipe", w->cpu, (uint64_t)errno, 0);
			return NULL;
		}
		w->rounds++;
	}
}

/* ---- mappings: the page at one address is replaced; whoever knows that sees the new one ---- */

static uint32_t *volatile window;
static _Atomic uint32_t mapped;         /* the window shows at least this version */
static int backing;

static void *remap(void *arg)
{
	struct worker *w = arg;

	pin(w->cpu);
	while (!stop) {
		if (w->index == 0) {
			uint32_t next = mapped + 1;
			off_t at = (off_t)(next % REMAPS) * PAGE;

			if (pwrite(backing, &next, sizeof(next), at) != sizeof(next) ||
			    mmap(window, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, backing, at) != window) {
				fail("mmap", w->cpu, (uint64_t)errno, 0);
				return NULL;
			}
			atomic_store(&mapped, next);
			usleep(500);
		} else {
			for (unsigned int i = 0; i < 1000; i++) {
				uint32_t least = atomic_load(&mapped), see = *(volatile uint32_t *)window;

				if (see < least) {
					fail("stale translation", w->cpu, least, see);
				}
			}
			usleep(1000);
		}
		w->rounds++;
	}
	return NULL;
}

/* ---- sleeps ---- */

static void *sleeper(void *arg)
{
	struct worker *w = arg;

	pin(w->cpu);
	while (!stop) {
		uint64_t wanted = (1 + w->rounds % 7) * 1000000, start = now_ns(CLOCK_MONOTONIC), took;
		struct timespec t = { 0, (long)wanted };

		nanosleep(&t, NULL);
		took = now_ns(CLOCK_MONOTONIC) - start;
		if (took < wanted || took > LOST_MS * 1000000ull) {
			fail("sleep", w->cpu, wanted, took);
		}
		w->worst = took - wanted > w->worst ? took - wanted : w->worst;
		w->rounds++;
	}
	return NULL;
}

/* ---- floating point: the same sum every time ---- */

static double sum_up(void)
{
	double s = 0;

	for (unsigned int i = 1; i < 5000; i++) {
		s += 1.0 / ((double)i * i);
	}
	return s;
}

static void *numbers(void *arg)
{
	struct worker *w = arg;
	volatile double want = sum_up();

	pin(w->cpu);
	while (!stop) {
		double got = sum_up();

		if (got != want) {
			fail("floating point", w->cpu, 0, 0);
		}
		w->rounds++;
	}
	return NULL;
}

/* ---- one thread that is moved about ---- */

static void *hopper(void *arg)
{
	struct worker *w = arg;

	while (w->index == 0 && !stop) {
		unsigned int to = (unsigned int)(w->rounds % cpus);
		int at;

		pin(to);
		at = sched_getcpu();
		if (at != (int)to) {
			fail("not moved", to, (uint64_t)at, to);
		}
		w->rounds++;
		usleep(300);
	}
	return NULL;
}

static const struct {
	const char *name;
	void *(*run)(void *);
} kinds[KINDS] = {
	{ "clock readings", clocks }, { "wake-ups", ring },   { "mappings", remap },
	{ "sleeps", sleeper },        { "sums", numbers },    { "hops", hopper },
};

static struct worker workers[KINDS][CPUS_MAX];

/* The clock against the TSC, whole run and every half second: neither may jump. */
static void watch(unsigned int seconds)
{
	uint64_t start = now_ns(CLOCK_MONOTONIC), start_tsc = read_clock(1), t = start, tsc = start_tsc;
	double rate = 0;

	while (t - start < seconds * NS) {
		uint64_t was = t, was_tsc = tsc;
		double ticks;

		usleep(500000);
		t = now_ns(CLOCK_MONOTONIC);
		tsc = read_clock(1);
		ticks = (double)(tsc - was_tsc) / (double)(t - was);
		if (rate != 0 && (ticks < rate * 0.9 || ticks > rate * 1.1)) {
			fail("clock and TSC part", 0, t - was, tsc - was_tsc);
		}
		rate = (double)(tsc - start_tsc) / (double)(t - start);
	}
	printf("smpload: %.3f TSC ticks a ns\n", rate);
}

static bool set_up(void)
{
	int pipes[CPUS_MAX][2];

	cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	cpus = cpus < CPUS_MAX ? cpus : CPUS_MAX;
	backing = memfd_create("smpload", 0);
	if (backing < 0 || ftruncate(backing, (off_t)REMAPS * PAGE) != 0) {
		return false;
	}
	window = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, backing, 0);
	for (unsigned int i = 0; i < cpus; i++) {
		if (pipe(pipes[i]) != 0) {
			return false;
		}
	}
	for (unsigned int i = 0; i < cpus; i++) {
		workers[1][i].in = pipes[i][0];
		workers[1][i].out = pipes[(i + 1) % cpus][1];
	}
	return window != MAP_FAILED && write(pipes[0][1], "", 1) == 1;
}

static void report(void)
{
	for (unsigned int k = 0; k < KINDS; k++) {
		uint64_t all = 0, worst = 0, least = UINT64_MAX;

		for (unsigned int i = 0; i < cpus; i++) {
			const struct worker *w = &workers[k][i];

			all += w->rounds;
			worst = w->worst > worst ? w->worst : worst;
			least = w->rounds < least ? w->rounds : least;
		}
		printf("smpload: %llu %s, least on one CPU %llu, worst wait %llu ms\n",
		       (unsigned long long)all, kinds[k].name, (unsigned long long)least,
		       (unsigned long long)(worst / 1000000));
		if (all == 0 || (k != KINDS - 1 && least == 0)) {
			fail("nothing done", 0, k, 0);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 10;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!set_up()) {
		perror("smpload");
		return 2;
	}
	for (unsigned int k = 0; k < KINDS; k++) {
		for (unsigned int i = 0; i < cpus; i++) {
			struct worker *w = &workers[k][i];

			w->cpu = w->index = i;
			pthread_create(&w->thread, NULL, kinds[k].run, w);
		}
	}
	watch(seconds);
	stop = true;
	for (unsigned int k = 0; k < KINDS; k++) {
		for (unsigned int i = 0; i < cpus; i++) {
			pthread_join(workers[k][i].thread, NULL);
		}
	}
	report();
	printf("smpload: %u CPUs, %u failures\n", cpus, failures);
	return failures == 0 ? 0 : 1;
}
