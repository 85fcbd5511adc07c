/*
 * Several CPUs in a micro-guest: starting them, having them do things, counting which interrupt arrives where.
 *
 * CPU numbers are the hypervisor's vCPU numbers. CPU 0 is the only one that runs the test; the others wait in HLT with
 * interrupts on. Everything here but the counting is called by CPU 0 with its interrupts off.
 */
#ifndef GUEST_RT_SMP_H
#define GUEST_RT_SMP_H

#include "tests/guest/rt/rt.h"

#define SMP_MAX 64

#define LAPIC 0xfee00000
enum {
	LAPIC_ID = 0x20, LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_LDR = 0xd0, LAPIC_DFR = 0xe0, LAPIC_SPIV = 0xf0,
	LAPIC_ESR = 0x280, LAPIC_ICR = 0x300, LAPIC_ICR_HIGH = 0x310, LAPIC_SELF_IPI = 0x3f0
};
#define ICR_LOGICAL   0x00800u
#define ICR_LOWEST    0x00100u
#define ICR_NMI       0x00400u
#define ICR_INIT      0x00500u
#define ICR_STARTUP   0x00600u
#define ICR_ASSERT    0x04000u
#define ICR_LEVEL     0x08000u
#define ICR_SELF      0x40000u
#define ICR_ALL       0x80000u
#define ICR_OTHERS    0xc0000u

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2  0xc00u

/* Where secondary CPUs start; the trampoline is at both. */
#define SMP_PAGE       0x08
#define SMP_OTHER_PAGE 0x09
#define SMP_VECTOR     0xd1     /* what smp_count() counts; smp_settled() uses others */

/* How many CPUs there are; puts the trampoline in place and switches this CPU's local APIC on. */
unsigned int smp_init(void);
/* A register of this CPU's local APIC, in whichever mode it is. */
uint32_t lapic_get(uint32_t reg);
void lapic_put(uint32_t reg, uint32_t value);
/* Send: dest is an ID or a logical destination, as the mode has it. */
void lapic_send(uint32_t dest, uint32_t command);
/* By CPUID, in every mode. */
uint32_t smp_apic_id(unsigned int cpu);

/* INIT and start-up message; waits until it runs. */
void smp_start(unsigned int cpu, uint8_t page);
/* The same without the INIT. */
void smp_startup(unsigned int cpu, uint8_t page);
/* Start-ups so far, and the page of the last one. */
unsigned int smp_starts(unsigned int cpu);
uint8_t smp_page(unsigned int cpu);
/* Does its idle loop come round when it is woken? The first waits for long, the second for a moment. */
bool smp_alive(unsigned int cpu);
bool smp_dead(unsigned int cpu);
/* Have it run a function; wait until it has. */
void smp_send_call(unsigned int cpu, void (*fn)(void *arg), void *arg);
void smp_wait_call(unsigned int cpu);
/* Both. */
void smp_call(unsigned int cpu, void (*fn)(void *arg), void *arg);

/* The masks are for the first 32 CPUs. */
/* Forget all counts; CPUs that got SMP_VECTOR or an NMI since, as bits, after everything on its way has arrived. */
void smp_forget(void);
uint32_t smp_got(void);
uint32_t smp_got_nmi(void);
/* Wait until the CPU has got an NMI. */
void smp_wait_nmi(unsigned int cpu);
/* Wait (for long) until the CPUs of the mask have got SMP_VECTOR; then no others may have. */
void smp_expect(uint32_t mask);

#endif
