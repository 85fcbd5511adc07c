/*
 * Ticket locks, fair between CPUs. The list of all locks and their order: core/locks.h.
 *
 * spin_lock() for locks never taken by interrupt handlers; the _irq forms for those that are.
 * A holder never blocks, never waits for another CPU, never enters a guest. Debug builds panic on a
 * rank inversion and on a plain lock taken in an interrupt handler.
 */
#ifndef CORE_SPINLOCK_H
#define CORE_SPINLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "core/locks.h"

/* A constant, so that both builds compile the checks. */
#define SPINLOCK_DEBUG DEBUG

struct spinlock {
	uint16_t next, owner;           /* tickets */
	uint8_t rank;                   /* const: enum lock_rank */
	uint16_t cpu;                   /* debug: holder + 1 */
};

#define SPINLOCK_INIT(r) { .rank = (r) }

void spin_init(struct spinlock *l, enum lock_rank rank);
void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);
bool spin_trylock(struct spinlock *l);
uint64_t spin_lock_irqsave(struct spinlock *l);
void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags);
bool spin_is_held(const struct spinlock *l);    /* by this CPU; for ASSERT (always true in release) */

#endif
