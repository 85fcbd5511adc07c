/* See sched_world.h. Also the fakes of what sched.c needs from below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "arch/hw.h"
#include "core/heap.h"
#include "core/log.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/sched_cpu.h"
#include "core/softirq.h"
#include "core/stack_switch.h"
#include "core/time.h"
#include "core/trace.h"
#include "fake/sched_world.h"
#include "lib/mem.h"

#define STACK (PAGE_SIZE << SCHED_STACK_ORDER)

uint64_t world_now;
uint64_t world_timer_fires;
struct world_unit world_unit[WORLD_UNITS];

static unsigned int units;
static struct cpu cpu_area[MAX_CPUS];
static unsigned int here;
static bool irqs_on;
static struct page stack_page[WORLD_UNITS];
static uint8_t *stacks;
static unsigned int stack_count;

struct cpu *cpus[MAX_CPUS];
struct cpu boot_cpu;
unsigned int cpu_count;

/* ---- what the scheduler calls ---- */

struct cpu *hw_cpu_base(void) { return &cpu_area[here]; }
uint64_t time_now(void) { return world_now; }
void hw_pause(void) { abort(); }
void hw_idle(void) { abort(); }
void hw_irq_enable(void) { irqs_on = true; }
void hw_irq_disable(void) { irqs_on = false; }

uint64_t hw_irq_save(void)
{
	uint64_t flags = irqs_on ? HW_RFLAGS_IF : 0;

	irqs_on = false;
	return flags;
}

void hw_irq_restore(uint64_t flags) { irqs_on = flags != 0; }

void spin_init(struct spinlock *l, enum lock_rank rank) { *l = (struct spinlock){ .rank = (uint8_t)rank }; }

/* One CPU at a time takes one lock at a time: anything else is a mistake. */
void spin_lock(struct spinlock *l)
{
	BUG_ON(l->cpu != 0);
	for (unsigned int i = 0; i < cpu_count; i++) {
		BUG_ON(cpus[i]->sched->lock.cpu != 0);
	}
	l->cpu = (uint16_t)(here + 1);
}

void spin_unlock(struct spinlock *l)
{
	BUG_ON(l->cpu != here + 1);
	l->cpu = 0;
}

uint64_t spin_lock_irqsave(struct spinlock *l)
{
	uint64_t flags = hw_irq_save();

	spin_lock(l);
	return flags;
}

void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	hw_irq_restore(flags);
}

bool spin_is_held(const struct spinlock *l) { return l->cpu == here + 1; }

void *heap_alloc(size_t size) { return calloc(1, size); }
void heap_free(void *p) { free(p); }

struct page *page_alloc(unsigned int order)
{
	BUG_ON(order != SCHED_STACK_ORDER || stack_count == WORLD_UNITS);
	return &stack_page[stack_count++];
}

void page_free(struct page *p, unsigned int order) { }
void *page_virt(const struct page *p) { return stacks + (size_t)(p - stack_page) * STACK; }
hpa_t virt_hpa(const void *p) { return (hpa_t){ (uint64_t)((const uint8_t *)p - stacks) }; }
struct page *mfn_page(mfn_t m) { return &stack_page[m.v >> SCHED_STACK_ORDER]; }

void softirq_raise(enum softirq s) { cpu_area[here].softirq_pending |= 1ull << s; }
void softirq_raise_on(unsigned int cpu, enum softirq s) { cpu_area[cpu].softirq_pending |= 1ull << s; }
void softirq_clear(enum softirq s) { cpu_area[here].softirq_pending &= ~(1ull << s); }
bool softirq_due(void) { return cpu_area[here].softirq_pending != 0; }

bool softirq_run(void)
{
	bool due = cpu_area[here].softirq_pending != 0;

	cpu_area[here].softirq_pending = 0;
	return due;
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg) { *t = (struct timer){ .fn = fn, .arg = arg }; }
void timer_set(struct timer *t, uint64_t deadline_ns) { t->deadline = deadline_ns; }
bool timer_armed(const struct timer *t) { return t->deadline != 0; }

uint64_t trace(enum trace_id id, uint16_t domain, uint16_t vcpu, uint64_t a, uint64_t b) { return 0; }
void log_at(enum log_level level, const char *fmt, ...) { }

void panic(const char *fmt, ...)
{
	fprintf(stderr, "panic: %s\n", fmt);
	abort();
}

/* The unit that gets the CPU does not go on where it was: the world plays it. */
void stack_switch(uint64_t *save, uint64_t to) { }

/* ---- the world ---- */

static void never_runs(void *arg) { abort(); }

void world_on(unsigned int cpu)
{
	here = cpu;
	irqs_on = true;
}

void world_reset(unsigned int n)
{
	if (stacks == NULL) {
		stacks = mmap(NULL, WORLD_UNITS * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		BUG_ON(stacks == MAP_FAILED);
	}
	stack_count = units = 0;
	world_now = 1;
	world_timer_fires = 0;
	memset(world_unit, 0, sizeof(world_unit));
	for (unsigned int i = 0; i < MAX_CPUS && cpus[i] != NULL; i++) {
		free(cpus[i]->sched);
		cpus[i] = NULL;
	}
	memset(cpu_area, 0, sizeof(cpu_area));
	cpu_count = n;
	for (unsigned int i = 0; i < n; i++) {
		cpus[i] = &cpu_area[i];
		cpus[i]->id = i;
		world_on(i);
		BUG_ON(sched_cpu_alloc(cpus[i]) != 0);
		cpus[i]->current = cpus[i]->idle;
		cpus[i]->idle->run_start = world_now;
		softirq_raise(SOFTIRQ_SCHED);
	}
}

struct world_unit *world_add(unsigned int cpu, bool pinned, uint64_t burst, uint64_t sleep, uint64_t start)
{
	struct world_unit *w = &world_unit[units++];

	BUG_ON(units > WORLD_UNITS);
	*w = (struct world_unit){ .burst = burst, .sleep = sleep, .left = burst, .wake_at = MAX(start, world_now) };
	BUG_ON(sched_unit_init(&w->unit, "unit", never_runs, w, NULL, cpu, pinned) != 0);
	return w;
}

static struct world_unit *running_on(unsigned int cpu)
{
	struct sched_unit *u = cpus[cpu]->current;

	return u == cpus[cpu]->idle ? NULL : container_of(u, struct world_unit, unit);
}

uint64_t world_ran(const struct world_unit *w) { return sched_run_time(&w->unit); }

/* Deferred work of all CPUs until there is none. */
static void settle(void)
{
	bool again = true;

	for (unsigned int rounds = 0; again; rounds++) {
		again = false;
		BUG_ON(rounds > 10000);
		for (unsigned int i = 0; i < cpu_count; i++) {
			world_on(i);
			if (softirq_due() || (running_on(i) == NULL && sched_place_pull(cpus[i]))) {
				sched_check();
				again = true;
			}
		}
	}
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct world_unit *w = running_on(i);

		if (w != NULL && w->waits_since != 0) {
			w->worst_wait = MAX(w->worst_wait, world_now - w->waits_since);
			w->waits_since = 0;
		}
	}
}

static uint64_t next_event(uint64_t end)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		const struct world_unit *w = running_on(i);
		uint64_t deadline = cpus[i]->sched->slice.deadline;

		end = deadline != 0 ? MIN(end, MAX(deadline, world_now + 1)) : end;
		end = w != NULL && w->burst != 0 ? MIN(end, world_now + w->left) : end;
	}
	for (unsigned int i = 0; i < units; i++) {
		end = world_unit[i].wake_at != 0 ? MIN(end, MAX(world_unit[i].wake_at, world_now)) : end;
	}
	return end;
}

/* Let the time pass for those that run. */
static void pass(uint64_t until)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct world_unit *w = running_on(i);

		if (w != NULL && w->burst != 0) {
			w->left -= until - world_now;
		}
	}
	world_now = until;
}

static void fire(unsigned int cpu)
{
	struct timer *t = &cpus[cpu]->sched->slice;
	struct world_unit *w = running_on(cpu);

	world_on(cpu);
	if (t->deadline != 0 && t->deadline <= world_now) {
		t->deadline = 0;
		world_timer_fires++;
		t->fn(t->arg);
	}
	if (w != NULL && w->burst != 0 && w->left == 0) {
		w->left = w->burst;
		w->wake_at = world_now + w->sleep;
		sched_block();
	}
}

void world_run(uint64_t ns)
{
	uint64_t end = world_now + ns;

	settle();
	while (world_now < end) {
		pass(next_event(end));
		for (unsigned int i = 0; i < cpu_count; i++) {
			fire(i);
		}
		for (unsigned int i = 0; i < units; i++) {
			struct world_unit *w = &world_unit[i];

			if (w->wake_at != 0 && w->wake_at <= world_now) {
				w->wake_at = 0;
				w->wakes++;
				w->waits_since = world_now;
				world_on(w->unit.cpu);
				if (w->answered) {
					sched_wake_answered(&w->unit);
				} else {
					sched_wake(&w->unit);
				}
			}
		}
		settle();
	}
}
