/*
 * Units and switching (contract in sched.h). Who runs next is decided in sched_queue.c by the policy in sched_credit.c; on which
 * CPU, in sched_place.c.
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
#include "core/sched_cpu.h"
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
	timer_init(&s->slice, slice_end, NULL);
	s->slice.cpu = c->id;
	s->idle = (struct sched_unit){ .name = "idle", .cpu = c->id, .pinned = true, .state = SCHED_RUNNING };
	s->idle.on_stack = true;
	s->idle.hard = s->idle.soft = SCHED_ANY_CPU;
	list_init(&s->idle.link);
	sched_queue_init(&s->q, &s->idle, c->id);
	c->sched = s;
	c->idle = &s->idle;
	return 0;
}

struct sched_cpu *sched_lock_of(const struct sched_unit *u, uint64_t *flags)
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
	sched_place_flush(c->sched);
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

/* Give the CPU to whoever should have it. Interrupts off, own lock held; returns with interrupts off, lock released. */
static void reschedule(struct cpu *c, uint64_t flags, bool yield)
{
	struct sched_cpu *s = c->sched;
	struct sched_unit *prev = s->q.running, *next;
	uint64_t now = time_now(), look;

	/* Whoever asked for a decision so far changed the queue before, with the lock held: this one is the answer. */
	softirq_clear(SOFTIRQ_SCHED);
	look = sched_queue_decide(&s->q, now, yield);
	next = s->q.running;
	next->on_stack = true;
	sched_place_note(s);
	spin_unlock(&s->lock);
	if (look && (!timer_armed(&s->slice) || s->slice.deadline > now + look)) {
		timer_set(&s->slice, now + look);
	}
	if (next != prev) {
		switch_to(c, next);
	} else {
		sched_place_flush(s);
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
	u->hard = pinned ? BIT(cpu) : SCHED_ANY_CPU;
	u->soft = SCHED_ANY_CPU;
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
	s = sched_lock_of(u, &flags);
	sched_queue_remove(&s->q, u);
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

/* Only a CPU where somebody waits can have too much to do. */
static void balance(void)
{
	struct cpu *c = this_cpu();

	if (READ_ONCE(c->sched->q.queued) != 0 && cpu_count > 1) {
		uint64_t flags = hw_irq_save();

		c = this_cpu();
		sched_place_push(c, time_now());
		hw_irq_restore(flags);
	}
}

void sched_check(void)
{
	ASSERT(this_cpu()->held_count == 0 && this_cpu()->irq_depth == 0);
	if (softirq_run() && sched_current()) {
		balance();
		give_away(false);
	}
}

bool sched_check_due(void)
{
	return softirq_due();
}

/* ---- waking ---- */

/* [lock] Put a runnable unit into its CPU's queue. True: the CPU has to decide. */
static bool add(struct sched_cpu *s, struct sched_unit *u, uint64_t now)
{
	sched_place_busy(s);
	sched_queue_add(&s->q, u);
	return sched_queue_urgent(&s->q, u, now, READ_ONCE(s->slice.deadline));
}

static void wake(struct sched_unit *u, bool answered)
{
	uint64_t flags, now;
	struct sched_cpu *s = sched_lock_of(u, &flags);
	unsigned int cpu = u->cpu, to;
	bool look = false;

	if (u->state != SCHED_BLOCKED) {
		u->wake_pending = u->state != SCHED_EXITED;
		spin_unlock_irqrestore(&s->lock, flags);
		return;
	}
	u->state = SCHED_RUNNABLE;
	u->wake_pending = false;
	now = time_now();
	sched_queue_settle(&s->q, now);
	sched_credit_wake(u, s->q.vtime);
	counter_add(COUNTER_WAKE, 1);
	trace(TRC_WAKE, 0xffff, 0xffff, (uint64_t)u, cpu);
	to = sched_place_wake(s, u);
	if (to != cpu) {
		sched_place_leave(u, s, to);
		spin_unlock_irqrestore(&s->lock, flags);
		sched_place_arrive(u);
		return;
	}
	if (u->pause_count == 0) {
		if (answered && s == this_cpu()->sched && s->q.running != s->q.idle) {
			s->q.answered = u;
		}
		look = add(s, u, now);
	}
	spin_unlock_irqrestore(&s->lock, flags);
	if (look) {
		softirq_raise_on(cpu, SOFTIRQ_SCHED);
	}
}

void sched_wake(struct sched_unit *u)
{
	wake(u, false);
}

void sched_wake_answered(struct sched_unit *u)
{
	wake(u, true);
}

/* ---- pausing ---- */

void sched_pause_nosync(struct sched_unit *u)
{
	uint64_t flags;
	struct sched_cpu *s = sched_lock_of(u, &flags);
	bool running = s->q.running == u;

	if (u->pause_count++ == 0 && !running) {
		sched_queue_remove(&s->q, u);
	}
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
	struct sched_cpu *s = sched_lock_of(u, &flags);
	bool look = false;

	BUG_ON(u->pause_count == 0);
	u->pause_count--;
	/* Who moves it puts it into the queue. */
	if (u->pause_count == 0 && u->state == SCHED_RUNNABLE && u->place == SCHED_PLACE_NONE) {
		uint64_t now = time_now();

		sched_queue_settle(&s->q, now);
		look = add(s, u, now);
	}
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

void sched_set_weight(struct sched_unit *u, uint32_t weight)
{
	WRITE_ONCE(u->weight, MIN(MAX(weight, 1u), (uint32_t)SCHED_WEIGHT_MAX));
}

void sched_join(struct sched_unit *u, struct sched_group *group)
{
	u->group = group;
	group->units++;
}

void sched_set_cap(struct sched_group *group, uint32_t percent)
{
	WRITE_ONCE(group->budget, 0);
	WRITE_ONCE(group->cap, percent);
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
		if (softirq_due() || sched_place_pull(c)) {
			hw_irq_enable();
			sched_check();
		} else {
			hw_idle();
		}
	}
}

static void dump_unit(const struct sched_unit *u, const char *what)
{
	log_info("  %s: %s, credit %ld, weight %u, pauses %u, ran %lu ms in %lu turns", what, u->name, u->credit, u->weight,
		 u->pause_count, u->run_total / 1000000, u->switched);
}

static void dump_cpu(unsigned int cpu)
{
	struct sched_cpu *s = sched_of(cpu);
	uint64_t flags = spin_lock_irqsave(&s->lock);

	log_info("CPU %u runs %s, %u units, %u wait, vtime %ld + %ld, idle for %lu ms", cpu, s->q.running->name, s->units,
		 s->q.queued, s->q.vtime, s->q.offset, sched_run_time(&s->idle) / 1000000);
	for (unsigned int i = 0; i < SCHED_SLOTS && s->q.queued != 0; i++) {
		list_for_each (pos, &s->q.slot[i]) {
			dump_unit(list_entry(pos, struct sched_unit, link), "waits");
		}
	}
	list_for_each (pos, &s->q.parked) {
		dump_unit(list_entry(pos, struct sched_unit, link), "capped");
	}
	spin_unlock_irqrestore(&s->lock, flags);
}

void sched_dump(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		dump_cpu(i);
	}
}
