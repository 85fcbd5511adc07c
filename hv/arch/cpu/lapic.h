/*
 * This CPU's local APIC, in the mode the firmware left it in (xAPIC or x2APIC).
 */
#ifndef ARCH_CPU_LAPIC_H
#define ARCH_CPU_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* Boot CPU, once: find the mode and map the registers. */
void lapic_init(void);
/* Each CPU: enable, mask everything but what the hypervisor uses. */
void lapic_cpu_init(void);
/* After time_init(): count the timer's frequency, choose deadline mode where it exists. */
void lapic_timer_init(void);
/* On every CPU after lapic_timer_init(). */
void lapic_timer_cpu_init(void);
bool lapic_is_x2apic(void);
uint32_t lapic_id(void);
void lapic_eoi(void);
bool lapic_in_service(uint8_t vector);
bool lapic_is_level(uint8_t vector);    /* trigger mode of a vector in service */
uint32_t lapic_error(void);
/* Low half of the interrupt command register (vector, delivery mode, ...) to one APIC ID. */
void lapic_send(uint32_t apic_id, uint32_t command);
/* To all CPUs but this one. */
void lapic_send_others(uint32_t command);
void lapic_set_logical(uint32_t ldr, uint32_t dfr);

#define LAPIC_ICR_FIXED   0x00000u
#define LAPIC_ICR_NMI     0x00400u
#define LAPIC_ICR_INIT    0x00500u
#define LAPIC_ICR_STARTUP 0x00600u
#define LAPIC_ICR_ASSERT  0x04000u
#define LAPIC_ICR_LEVEL   0x08000u

#endif
