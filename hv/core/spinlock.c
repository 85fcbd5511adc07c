/*
 * Ticket locks (contract in spinlock.h). The debug part keeps each CPU's stack of held locks.
 */
#include "core/counters.h"
#include "core/spinlock.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/symtab.h"
#include "arch/hw.h"
#include "lib/atomic.h"
#include "lib/util.h"

/* Ranks of which two may be held together; their rows in locks.h say in which order. */
static bool rank_nests(uint8_t rank)
{
	return rank == LOCK_GRANT || rank == LOCK_P2M;
}

static void check_order(const struct spinlock *l, const struct cpu *c)
{
	const struct spinlock *top = c->held_count ? c->held[c->held_count - 1] : NULL;

	if (top && (l->rank < top->rank || (l->rank == top->rank && (!rank_nests(l->rank) || l == top)))) {
		panic("lock order: rank %u wanted while rank %u is held", l->rank, top->rank);
	}
}

static void note_held(struct spinlock *l)
{
	struct cpu *c = this_cpu();

	WRITE_ONCE(l->cpu, (uint16_t)(c->id + 1));
	if (c->held_count < LOCKS_HELD_MAX) {
		c->held[c->held_count] = l;
	}
	c->held_count++;
}

static void note_released(struct spinlock *l)
{
	struct cpu *c = this_cpu();
	unsigned int n = c->held_count, i;

	BUG_ON(READ_ONCE(l->cpu) != c->id + 1);
	WRITE_ONCE(l->cpu, 0);
	BUG_ON(n == 0 || n > LOCKS_HELD_MAX);
	for (i = n; i > 0 && c->held[i - 1] != l; i--) {
	}
	BUG_ON(i == 0);
	for (; i < n; i++) {
		c->held[i - 1] = c->held[i];
	}
	c->held_count = n - 1;
}

void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = (struct spinlock)SPINLOCK_INIT((uint8_t)rank);
}

static COLD void wait_for(struct spinlock *l, uint16_t ticket)
{
	counter_add(COUNTER_LOCK_WAIT, 1);
	while (load_acquire(&l->owner) != ticket) {
		hw_pause();
	}
}

static inline void take(struct spinlock *l)
{
	uint16_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	if (load_acquire(&l->owner) != ticket) {
		wait_for(l, ticket);
	}
}

void spin_lock(struct spinlock *l)
{
	if (SPINLOCK_DEBUG) {
		if (this_cpu()->irq_depth) {
			panic("lock rank %u taken in an interrupt handler without _irqsave", l->rank);
		}
		check_order(l, this_cpu());
	}
	take(l);
	if (SPINLOCK_DEBUG) {
		note_held(l);
	}
}

bool spin_trylock(struct spinlock *l)
{
	uint16_t owner = READ_ONCE(l->owner), next = owner;

	if (!__atomic_compare_exchange_n(&l->next, &next, (uint16_t)(owner + 1), false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED)) {
		return false;
	}
	if (SPINLOCK_DEBUG) {
		note_held(l);
	}
	return true;
}

void spin_unlock(struct spinlock *l)
{
	if (SPINLOCK_DEBUG) {
		note_released(l);
	}
	store_release(&l->owner, (uint16_t)(l->owner + 1));
}

uint64_t spin_lock_irqsave(struct spinlock *l)
{
	uint64_t flags = hw_irq_save();

	if (SPINLOCK_DEBUG) {
		check_order(l, this_cpu());
	}
	take(l);
	if (SPINLOCK_DEBUG) {
		note_held(l);
	}
	return flags;
}

void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	hw_irq_restore(flags);
}

bool spin_is_held(const struct spinlock *l)
{
	return !SPINLOCK_DEBUG || READ_ONCE(l->cpu) == this_cpu()->id + 1;
}
