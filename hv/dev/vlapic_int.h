/*
 * What the three files of the local APIC (vlapic.c, vlapic_timer.c, vlapic_ipi.c) share and nobody
 * else may use.
 */
#ifndef DEV_VLAPIC_INT_H
#define DEV_VLAPIC_INT_H

#include "lib/atomic.h"
#include "dev/vlapic.h"

#define LVT_VECTOR          0xffu
#define LVT_DELIVERY_SHIFT  8
#define LVT_MASKED          (1u << 16)
#define LVT_TIMER_MODE      (3u << 17)
#define LVT_TIMER_PERIODIC  (1u << 17)
#define LVT_TIMER_DEADLINE  (2u << 17)
#define SVR_ENABLE          (1u << 8)
/* Software may keep EOIs from the I/O APICs, where these have EOI registers of their own. */
#define SVR_SUPPRESS        (1u << 12)

/* Every bit of the ICR's low half that software may set. */
#define ICR_LOW_VALID       0x000ccfffu

static inline bool vlapic_in_x2apic(const struct vlapic *v)
{
	return READ_ONCE(v->base) & APIC_BASE_X2APIC;
}

/* Send what v->icr says. */
void vlapic_ipi_send(struct vlapic *v);
/* A fixed interrupt to this APIC itself (SELF IPI register, shorthand "self"). */
void vlapic_ipi_self(struct vlapic *v, uint8_t vector);

/* Timer back to its reset state, host timer disarmed. */
void vlapic_timer_reset(struct vlapic *v);
/* The current-count register. */
uint32_t vlapic_timer_count(const struct vlapic *v);
void vlapic_timer_write_icr(struct vlapic *v, uint32_t value);
void vlapic_timer_write_dcr(struct vlapic *v, uint32_t value);
/* Store the timer's LVT entry (already masked to its valid bits) and its consequences. */
void vlapic_timer_write_lvt(struct vlapic *v, uint32_t value);
/* While v->tick owes something: this vector is being delivered. */
void vlapic_timer_taken(struct vlapic *v, uint8_t vector);
uint64_t vlapic_timer_read_deadline(const struct vlapic *v);
void vlapic_timer_write_deadline(struct vlapic *v, uint64_t tsc);

#endif
