/*
 * High precision event timer (IA-PC HPET specification, revision 1.0a): 62.5 MHz, three timers, all
 * periodic and 64 bits wide, all able to send messages (FSB), legacy replacement.
 *
 * Interrupts through vdev_host.irq_set: I/O APIC inputs 20-23, or GSI 0 and 8 (ISA interrupts) with
 * legacy replacement. After each write, and after a reset, the owner tells the interrupt wires
 * whether legacy replacement is on (vhpet_legacy()). Caller's lock.
 */
#ifndef DEV_VHPET_H
#define DEV_VHPET_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vdev.h"
#include "dev/vtick.h"

#define VHPET_BASE      0xfed00000ull
#define VHPET_SIZE      0x400ull
#define VHPET_TIMERS    3
#define VHPET_TICK_NS   16u
#define VHPET_NEVER     (~0ull)

struct vhpet_timer {
	uint64_t config;
	uint64_t comparator;            /* of the next match */
	uint64_t period;                /* ticks; 0: none was written */
	uint64_t due;                   /* domain time in ticks of the next match, while running */
	uint64_t fsb;                   /* message address << 32 | data */
	struct vtick tick;              /* periodic, edges */
	uint8_t line;                   /* GSI held active (level), VHPET_NO_LINE: none */
};
#define VHPET_NO_LINE 0xff

struct vhpet {
	const struct vdev_host *host;
	uint64_t config, status;
	uint64_t counter;               /* main counter's value at start (or while halted) */
	uint64_t start;                 /* domain time in ticks at which it was that */
	struct vhpet_timer timer[VHPET_TIMERS];
};

/* Calls nothing of the host yet. */
void vhpet_init(struct vhpet *v, const struct vdev_host *host);
void vhpet_reset(struct vhpet *v);
/* The 1 KiB at VHPET_BASE. Aligned accesses of 4 and 8 bytes; narrower reads give their part. */
enum io_result vhpet_mmio(struct vhpet *v, struct io_access *a);
/* id is the number of the timer. */
void vhpet_timer(struct vhpet *v, unsigned int id);
/* While a timer's tick owes something: a processor took an interrupt. */
void vhpet_taken(struct vhpet *v);
bool vhpet_owes(const struct vhpet *v);
void vhpet_set_policy(struct vhpet *v, enum vtick_policy policy);
bool vhpet_legacy(const struct vhpet *v);

#endif
