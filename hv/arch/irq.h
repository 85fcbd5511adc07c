/*
 * Host interrupts as the rest of the hypervisor sees them.
 *
 * Vectors 10h..EFh belong to Dom0's devices: they are not handled here but given to irq_dom0_hook with
 * the trigger mode read from the physical local APIC. Vectors F0h..FFh are the hypervisor's own.
 */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#define IRQ_VECTOR_FIRST_DEVICE 0x10
#define IRQ_VECTOR_LAST_DEVICE  0xef
#define IRQ_VECTOR_CONSOLE      0xf0
#define IRQ_VECTOR_KICK         0xf1
#define IRQ_VECTOR_CALL         0xf2
#define IRQ_VECTOR_TIMER        0xf3
#define IRQ_VECTOR_ERROR        0xf4
#define IRQ_VECTOR_SPURIOUS     0xff

/* A device vector arrived on this CPU; interrupts are off. Edge ones are acknowledged already; for level ones the
 * hook's side calls irq_ack_level() on this CPU when Dom0 acknowledges its virtual interrupt. */
extern void (*irq_dom0_hook)(uint8_t vector, bool level);
void irq_ack_level(uint8_t vector);
/* Dom0's logical destination becomes the physical local APIC's. xAPIC mode only. */
void irq_set_logical_dest(uint32_t ldr, uint32_t dfr);

#endif
