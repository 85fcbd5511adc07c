/* Between traps.c and irq.c, and the interrupt controllers' start-up. */
#ifndef ARCH_CPU_IRQ_DISPATCH_H
#define ARCH_CPU_IRQ_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

/* An interrupt vector was taken; interrupts off. */
void irq_dispatch(uint8_t vector);
/* The local APIC says that this vector is being served here. */
bool irq_in_service(uint8_t vector);
/* Mask the 8259s. Before the local APIC's LINT0 is masked: a request that is on its way there would stay for ever. */
void irq_mask_legacy(void);
/* Mask every I/O APIC pin: Dom0 programs them as it needs. */
void irq_init(void);

#endif
