/* Between traps.c and irq.c, and the interrupt controllers' start-up. */
#ifndef ARCH_CPU_IRQ_DISPATCH_H
#define ARCH_CPU_IRQ_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

/* An interrupt vector was taken; interrupts off. */
void irq_dispatch(uint8_t vector);
/* The local APIC says that this vector is being served here. */
bool irq_in_service(uint8_t vector);
/* Mask the 8259s and every I/O APIC pin: Dom0 programs them as it needs. */
void irq_init(void);

#endif
