/*
 * 8254 programmable interval timer with the PC's port 61h (Intel 8254 data sheet).
 *
 * Ports 40h-43h, 61h. Channel 0's output is ISA interrupt 0 (GSI 0 of vdev_host.irq_set, pulsed low
 * and high at each rising edge), channel 2's gate and output are in port 61h. Caller's lock.
 */
#ifndef DEV_VPIT_H
#define DEV_VPIT_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vdev.h"
#include "dev/vtick.h"

#define VPIT_HZ 1193182u

/* Times are ticks of the input clock since the domain's time zero. */
struct vpit_channel {
	uint32_t count;                 /* initial count in force, 1..65536 */
	uint32_t next_count;            /* written; takes over at next_tick or by a trigger */
	uint64_t start;                 /* tick at which count entered the counter */
	uint64_t next_tick;
	uint64_t held;                  /* ticks already counted when the gate closed */
	uint8_t mode, access;           /* 0..5; 1 low byte, 2 high byte, 3 both */
	bool bcd, gate;
	bool loaded;                    /* a count was written since the control word */
	bool triggered;                 /* modes 1, 5: a gate edge started the count */
	bool write_high, read_high;     /* access 3: the high byte is next */
	uint8_t write_low;
	uint8_t latched;                /* bytes of latch still to be read */
	uint16_t latch;
	bool status_latched;
	uint8_t status;
};

struct vpit {
	const struct vdev_host *host;
	struct vpit_channel channel[3];
	uint8_t port61;                 /* bits 3:0 as written */
	uint64_t edge;                  /* tick of channel 0's next rising edge, 0: none */
	uint64_t seen;                  /* ticks up to which edges had their interrupts */
	struct vtick tick;              /* channel 0 in modes 2 and 3 */
	uint64_t lag;                   /* the interrupts of these modes come so many ticks after the edges */
};

/* Calls nothing of the host yet; vpit_reset() does. */
void vpit_init(struct vpit *p, const struct vdev_host *host);
void vpit_reset(struct vpit *p);
enum io_result vpit_io(struct vpit *p, struct io_access *a);
/* vdev_host.timer_set()'s deadline passed; id is always 0. */
void vpit_timer(struct vpit *p, unsigned int id);
/* While p->tick owes something: a processor took an interrupt. */
void vpit_taken(struct vpit *p);

#endif
