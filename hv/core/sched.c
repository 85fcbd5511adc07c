/*
 * Units, run queues and switching (contract in sched.h; the policy is sched_credit.c).
 *
 * Lock: LOCK_SCHED of the CPU in u->cpu guards a unit; u->cpu changes only with the old CPU's lock held, while the unit is
 * in no queue. A unit whose stack is in use (on_stack) is never moved to another CPU and never chosen by one.
 * The lock is dropped before the stacks are switched: on_stack keeps the unit that is left in place meanwhile.
 */
#include "core/counters.h"
#include "core/heap.h"
#include "core/page_alloc.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/sched.h"
#include "core/sched_credit.h"
#include "core/smp.h"
#include "core/softirq.h"
#include "core/spinlock.h"
#include "core/stack_switch.h"
#include "core/time.h"
#include "core/trace.h"
#include "core/log.h"
#include "arch/hw.h"
#include "lib/atomic.h"
#include "lib/err.h"

#define STACK_SIZE   (PAGE_SIZE << SCHED_STACK_ORDER)
#define STACK_CANARY 0x57ac0f1057ac0f10

struct sched_cpu {
	struct spinlock lock;           /* LOCK_SCHED */
	struct list queue;              /* [lock] runnable, not running; paused ones too */
	struct sched_unit *running;     /* [lock] chosen: equals cpu->current but while switching */
	struct sched_unit *left;        /* [own] whose stack was just left */
	int64_t vtime;                  /* [lock; others read] policy's */
	unsigned int units;             /* [lock] units that belong here, blocked ones too */
	uint64_t slice_start;           /* [own] */
	struct timer slice;             /* [own] */
	struct sched_unit idle;
};

static struct sched_cpu *sched_of(unsigned int cpu)
{
	return cpus[cpu]->sched;
}

static bool is_idle(const struct sched_unit *u)
{
	return u == &sched_of(u->cpu)->idle;
}

struct sched_unit *sched_current(void)
{
	return this_cpu()->current;
}

static void slice_end(void *arg)
{
	softirq_raise(SOFTIRQ_SCHED);
}

int sched_cpu_alloc(struct cpu *c)
{
	struct sched_cpu *s = heap_new(struct sched_cpu);

	if (!s) {
		return -ENOMEM;
	}
	spin_init(&s->lock, LOCK_SCHED);
	list_init(&s->queue);
	timer_init(&s->slice, slice_end, NULL);
	s->slice.cpu = c->id;
	s->idle = (struct sched_unit){ .name = "idle", .cpu = c->id, .pinned = true, .state = SCHED_RUNNING };
	s->idle.on_stack = true;
	list_init(&s->idle.link);
	s->running = &s->idle;
	c->sched = s;
	c->idle = &s->idle;
	return 0;
}

/* Lock the run queue that the unit belongs to. */
static struct sched_cpu *lock_of(const struct sched_unit *u, uint64_t *flags)
{
	for (;;) {
		unsigned int cpu = READ_ONCE(u->cpu);
		struct sched_cpu *s = sched_of(cpu);

		*flags = spin_lock_irqsave(&s->lock);
		if (READ_ONCE(u->cpu) == cpu) {
			return s;
		}
		spin_unlock_irqrestore(&s->lock, *flags);
	}
}

/* ---- switching ---- */

/* First thing on the new stack: the old one is free now. Interrupts off. */
static void switch_done(void)
{
	struct cpu *c = this_cpu();
	struct sched_unit *now = c->current;

	store_release(&c->sched->left->on_stack, false);
	if (now->hooks && now->hooks->switch_in) {
		now->hooks->switch_in(now);
	}
}

/* Where a new unit's stack begins. */
static void unit_start(void)
{
	struct sched_unit *u;

	switch_done();
	hw_irq_enable();
	u = sched_current();
	u->entry(u->arg);
	panic("unit %s returned from its main function", u->name);
}

static void switch_to(struct cpu *c, struct sched_unit *next)
{
	struct sched_unit *prev = c->current;

	if (prev->stack && *(const uint64_t *)prev->stack != STACK_CANARY) {
		panic("stack of unit %s overflowed", prev->name);
	}
	if (prev->hooks && prev->hooks->switch_out) {
		prev->hooks->switch_out(prev);
	}
	counter_add(COUNTER_SWITCH, 1);
	trace(TRC_SWITCH, 0xffff, 0xffff, (uint64_t)prev, (uint64_t)next);
	c->current = next;
	c->sched->left = prev;
	stack_switch(&prev->sp, next->sp);
	/* Perhaps on another CPU by now. */
	switch_done();
}

/* [lock] The best unit of the queue that may run here; NULL: none. */
static struct sched_unit *best_queued(const struct sched_cpu *s)
{
	struct sched_unit *best = NULL;

	list_for_each (pos, &s->queue) {
		struct sched_unit *u = list_entry(pos, struct sched_unit, link);

		if (!u->pause_count && (!best || u->credit < best->credit)) {
			best = u;
		}
	}
	return best;
}

/* [lock] Who runs next: the one that runs now, the best of the queue, or the idle unit. */
static struct sched_unit *choose(struct sched_cpu *s, bool yield, uint64_t now)
{
	struct sched_unit *cur = s->running, *best = best_queued(s);
	bool may_stay = cur->state == SCHED_RUNNING && !cur->pause_count && !is_idle(cur);
	bool over = yield || now - s->slice_start >= SCHED_SLICE_NS;

	if (!may_stay) {
		return best ? best : &s->idle;
	}
	return best && (yield || sched_credit_better(best, cur, over)) ? best : cur;
}

/* [lock] Book the time of the running unit. */
static void charge(struct sched_cpu *s, uint64_t now)
{
	struct sched_unit *u = s->running;

	if (now > u->run_start) {
		sched_credit_charge(u, now - u->run_start);
		u->run_start = now;
	}
}

/* [lock] Bring the books up to date: the running unit's time, and the queue's virtual time with it. */
static void advance(struct sched_cpu *s)
{
	const struct sched_unit *best = best_queued(s), *first = s->running;

	charge(s, time_now());
	if (is_idle(first) || (best && best->credit < first->credit)) {
		first = best;
	}
	if (first) {
		s->vtime = sched_credit_vtime(s->vtime, first);
	}
}

/* [lock] In how many ns this CPU must choose anew; 0: nobody waits. */
static uint64_t look_again(const struct sched_cpu *s)
{
	bool waits = false;

	list_for_each (pos, &s->queue) {
		const struct sched_unit *u = list_entry(pos, struct sched_unit, link);

		if (u->pause_count) {
			continue;
		}
		if (u->boost) {
			return SCHED_LOOK_NS;
		}
		waits = true;
	}
	return waits ? SCHED_SLICE_NS : 0;
}

/* Give the CPU to whoever should have it. Interrupts off, own lock held; returns with interrupts off, lock released. */
static void reschedule(struct cpu *c, uint64_t flags, bool yield)
{
	struct sched_cpu *s = c->sched;
	struct sched_unit *prev = s->running, *next;
	uint64_t now = time_now(), look;

	advance(s);
	next = choose(s, yield, now);
	if (next != prev) {
		if (prev->state == SCHED_RUNNING && !is_idle(prev)) {
			prev->state = SCHED_RUNNABLE;
			list_add_tail(&s->queue, &prev->link);
		}
		list_del(&next->link);
		next->state = SCHED_RUNNING;
		next->on_stack = true;
		next->run_start = now;
		next->switched++;
		s->running = next;
		s->slice_start = now;
	} else if (now - s->slice_start >= SCHED_SLICE_NS) {
		s->slice_start = now;
	}
	next->boost = 0;
	look = is_idle(next) ? 0 : look_again(s);
	spin_unlock(&s->lock);
	if (look && (!timer_armed(&s->slice) || s->slice.deadline > now + look)) {
		timer_set(&s->slice, now + look);
	}
	if (next != prev) {
		switch_to(c, next);
	}
	hw_irq_restore(flags);
}

/* ---- units ---- */

int sched_unit_init(struct sched_unit *u, const char *name, void (*entry)(void *), void *arg,
		    const struct sched_hooks *hooks, unsigned int cpu, bool pinned)
{
	struct page *p = page_alloc(SCHED_STACK_ORDER);
	struct sched_cpu *s = sched_of(cpu);
	uint64_t flags, *stack;

	if (!p) {
		return -ENOMEM;
	}
	stack = page_virt(p);
	*u = (struct sched_unit){ .name = name, .entry = entry, .arg = arg, .hooks = hooks, .stack = stack, .cpu = cpu };
	u->pinned = pinned;
	u->state = SCHED_BLOCKED;
	u->weight = SCHED_WEIGHT_DEFAULT;
	list_init(&u->link);
	stack[0] = STACK_CANARY;
	u->sp = stack_switch_prepare(stack + STACK_SIZE / sizeof(*stack), unit_start);
	flags = spin_lock_irqsave(&s->lock);
	s->units++;
	spin_unlock_irqrestore(&s->lock, flags);
	return 0;
}

void sched_unit_free(struct sched_unit *u)
{
	struct sched_cpu *s;
	uint64_t flags;

	if (!u->stack) {
		return;
	}
	while (load_acquire(&u->on_stack)) {
		hw_pause();
	}
	s = lock_of(u, &flags);
	list_del(&u->link);
	u->state = SCHED_EXITED;
	s->units--;
	spin_unlock_irqrestore(&s->lock, flags);
	page_free(mfn_page(hpa_to_mfn(virt_hpa(u->stack))), SCHED_STACK_ORDER);
	u->stack = NULL;
}

void sched_block(void)
{
	struct cpu *c;
	struct sched_unit *u = sched_current();
	uint64_t flags = hw_irq_save();

	c = this_cpu();
	BUG_ON(!u || is_idle(u) || !(flags & HW_RFLAGS_IF));
	ASSERT(c->held_count == 0 && c->irq_depth == 0);
	spin_lock_irqsave(&c->sched->lock);
	if (u->wake_pending) {
		u->wake_pending = false;
		spin_unlock_irqrestore(&c->sched->lock, flags);
		return;
	}
	u->state = SCHED_BLOCKED;
	reschedule(c, flags, false);
}

_Noreturn void sched_exit(void)
{
	struct cpu *c;

	hw_irq_disable();
	c = this_cpu();
	BUG_ON(!c->current || is_idle(c->current));
	spin_lock_irqsave(&c->sched->lock);
	c->current->state = SCHED_EXITED;
	reschedule(c, 0, false);
	panic("an ended unit was chosen");
}

static void give_away(bool yield)
{
	uint64_t flags = hw_irq_save();
	struct cpu *c = this_cpu();

	spin_lock_irqsave(&c->sched->lock);
	reschedule(c, flags, yield);
}

void sched_yield(void)
{
	give_away(true);
}

void sched_check(void)
{
	ASSERT(this_cpu()->held_count == 0 && this_cpu()->irq_depth == 0);
	if (softirq_run() && sched_current()) {
		give_away(false);
	}
}

bool sched_check_due(void)
{
	return softirq_due();
}

/* ---- waking ---- */

/* A CPU with nothing to do; cpu_count: none. Only a hint, so no lock. */
static unsigned int idle_cpu(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		const struct sched_cpu *s = sched_of(i);

		if (READ_ONCE(s->running) == &s->idle && READ_ONCE(cpus[i]->current) == &s->idle &&
		    list_empty(&s->queue)) {
			return i;
		}
	}
	return cpu_count;
}

/* Old lock held, unit in no queue: it belongs to another CPU now. */
static void change_cpu(struct sched_unit *u, struct sched_cpu *from, unsigned int to)
{
	u->credit += READ_ONCE(sched_of(to)->vtime) - from->vtime;
	from->units--;
	counter_add(COUNTER_MIGRATE, 1);
	WRITE_ONCE(u->cpu, to);
}

/* [lock of u->cpu] Does the CPU have to look at its queue because of this unit? */
static bool must_look(const struct sched_cpu *s, const struct sched_unit *u)
{
	return is_idle(s->running) || u->boost || !timer_armed(&s->slice);
}

/* Queue a runnable unit that is in no queue; takes its CPU's lock. */
static void enqueue(struct sched_unit *u, bool moved)
{
	uint64_t flags;
	struct sched_cpu *s = lock_of(u, &flags);
	bool look;

	if (moved) {
		s->units++;
	}
	advance(s);
	list_add_tail(&s->queue, &u->link);
	look = !u->pause_count && must_look(s, u);
	spin_unlock_irqrestore(&s->lock, flags);
	if (look) {
		softirq_raise_on(u->cpu, SOFTIRQ_SCHED);
	}
}

void sched_wake(struct sched_unit *u)
{
	uint64_t flags;
	struct sched_cpu *s = lock_of(u, &flags);
	unsigned int cpu = u->cpu, to;
	bool look;

	if (u->state != SCHED_BLOCKED) {
		u->wake_pending = u->state != SCHED_EXITED;
		spin_unlock_irqrestore(&s->lock, flags);
		return;
	}
	u->state = SCHED_RUNNABLE;
	u->wake_pending = false;
	advance(s);
	sched_credit_wake(u, s->vtime);
	counter_add(COUNTER_WAKE, 1);
	trace(TRC_WAKE, 0xffff, 0xffff, (uint64_t)u, cpu);
	if (!u->pinned && !load_acquire(&u->on_stack) && !is_idle(s->running) && (to = idle_cpu()) < cpu_count && to != cpu) {
		change_cpu(u, s, to);
		spin_unlock_irqrestore(&s->lock, flags);
		enqueue(u, true);
		return;
	}
	list_add_tail(&s->queue, &u->link);
	look = !u->pause_count && must_look(s, u);
	spin_unlock_irqrestore(&s->lock, flags);
	if (look) {
		softirq_raise_on(cpu, SOFTIRQ_SCHED);
	}
}

/* [lock] A unit of this queue that may go to another CPU. */
static struct sched_unit *movable(const struct sched_cpu *s)
{
	list_for_each (pos, &s->queue) {
		struct sched_unit *u = list_entry(pos, struct sched_unit, link);

		if (!u->pinned && !u->pause_count && !load_acquire(&u->on_stack)) {
			return u;
		}
	}
	return NULL;
}

/* This CPU has nothing to do: take a waiting unit from another one. */
static bool pull(struct cpu *c)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct sched_cpu *s = sched_of(i);
		struct sched_unit *u;
		uint64_t flags;

		if (i == c->id || list_empty(&s->queue)) {
			continue;
		}
		flags = spin_lock_irqsave(&s->lock);
		u = is_idle(s->running) ? NULL : movable(s);
		if (u) {
			advance(s);
			list_del(&u->link);
			change_cpu(u, s, c->id);
		}
		spin_unlock_irqrestore(&s->lock, flags);
		if (u) {
			enqueue(u, true);
			return true;
		}
	}
	return false;
}

/* ---- pausing ---- */

void sched_pause_nosync(struct sched_unit *u)
{
	uint64_t flags;
	struct sched_cpu *s = lock_of(u, &flags);
	bool running = s->running == u;

	u->pause_count++;
	spin_unlock_irqrestore(&s->lock, flags);
	if (running) {
		softirq_raise_on(u->cpu, SOFTIRQ_SCHED);
	}
}

void sched_pause(struct sched_unit *u)
{
	sched_pause_nosync(u);
	while (u != sched_current() && load_acquire(&u->on_stack)) {
		hw_pause();
	}
}

void sched_unpause(struct sched_unit *u)
{
	uint64_t flags;
	struct sched_cpu *s = lock_of(u, &flags);
	bool look;

	BUG_ON(u->pause_count == 0);
	u->pause_count--;
	look = u->pause_count == 0 && u->state == SCHED_RUNNABLE && must_look(s, u);
	spin_unlock_irqrestore(&s->lock, flags);
	if (look) {
		softirq_raise_on(u->cpu, SOFTIRQ_SCHED);
	}
}

/* ---- the rest ---- */

uint64_t sched_run_time(const struct sched_unit *u)
{
	uint64_t total = READ_ONCE(u->run_total), start = READ_ONCE(u->run_start), now = time_now();

	return READ_ONCE(u->state) == SCHED_RUNNING && now > start ? total + (now - start) : total;
}

unsigned int sched_least_loaded_cpu(void)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < cpu_count; i++) {
		if (sched_of(i)->units < sched_of(best)->units) {
			best = i;
		}
	}
	return best;
}

_Noreturn void sched_start_cpu(void)
{
	struct cpu *c = this_cpu();

	c->idle->run_start = time_now();
	c->current = c->idle;
	softirq_raise(SOFTIRQ_SCHED);
	for (;;) {
		hw_irq_disable();
		if (softirq_due() || pull(c)) {
			hw_irq_enable();
			sched_check();
		} else {
			hw_idle();
		}
	}
}

static void dump_cpu(unsigned int cpu)
{
	struct sched_cpu *s = sched_of(cpu);
	uint64_t flags = spin_lock_irqsave(&s->lock);

	log_info("CPU %u runs %s, %u units, vtime %ld, idle for %lu ms", cpu, s->running->name, s->units, s->vtime,
		 sched_run_time(&s->idle) / 1000000);
	list_for_each (pos, &s->queue) {
		const struct sched_unit *u = list_entry(pos, struct sched_unit, link);

		log_info("  waits: %s, credit %ld, pauses %u, ran %lu ms in %lu turns", u->name, u->credit,
			 u->pause_count, u->run_total / 1000000, u->switched);
	}
	spin_unlock_irqrestore(&s->lock, flags);
}

void sched_dump(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		dump_cpu(i);
	}
}
