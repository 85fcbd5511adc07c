/*
 * Cross-CPU calls and kicks.
 *
 * smp_kick() makes a CPU leave guest mode and look at its pending work. smp_call() runs fn on every CPU in the
 * mask (this one included when named) and returns when all are done; interrupts are on in the caller,
 * off in fn. No caller holds a spinlock that fn's CPU could be spinning for with interrupts off.
 */
#ifndef CORE_SMP_H
#define CORE_SMP_H

#include <stdint.h>

void smp_kick(unsigned int cpu);
void smp_call(uint64_t cpu_mask, void (*fn)(void *arg), void *arg);
/* Return when every CPU in the mask has left guest mode since the call (kicks those that are in it). */
void smp_exit_guests(uint64_t cpu_mask);
uint64_t smp_online_mask(void);
/* The interrupt handler of IRQ_VECTOR_CALL. */
void smp_handle_call(void);

#endif
