/*
 * MC146818 real-time clock: the first 14 registers behind ports 70h/71h (Motorola MC146818 data
 * sheet), and the century of its date at 32h, where PCs have it. The rest of the CMOS memory is the
 * device model's.
 *
 * Interrupt: ISA 8 (GSI 8 of vdev_host.irq_set). Caller's lock.
 */
#ifndef DEV_VRTC_H
#define DEV_VRTC_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vdev.h"
#include "dev/vtick.h"

#define VRTC_REGS 14
#define VRTC_CENTURY 0x32

/* Timers given to vdev_host.timer_set(). */
enum { VRTC_TIMER_PERIODIC, VRTC_TIMER_UPDATE, VRTC_TIMERS };

struct vrtc {
	const struct vdev_host *host;
	uint8_t index;                  /* last byte written to port 70h, without the NMI bit */
	uint8_t reg[VRTC_REGS];         /* time: valid while the clock is stopped; alarm; A..D */
	int8_t century_shift;           /* software's century minus the calendar's */
	uint8_t weekday_shift;          /* software's day of week minus the calendar's, modulo 7 */
	int64_t base_seconds;           /* since 1970: the clock's time at base_ns */
	int64_t base_ns;
	int64_t moved;                  /* seconds by which software has set the clock forward (or back) */
	uint64_t last_ns;               /* register C's flags are complete up to here */
	struct vtick tick;              /* of the periodic interrupt */
	bool reflagged;                 /* the latched edge got its flag back already */
	uint32_t lag;                   /* it comes so many ticks of 32768 Hz after the divider's edges */
	uint64_t deadline[VRTC_TIMERS]; /* as given to the host; 0: not armed */
};

/* The clock begins at 1970; calls nothing of the host yet. */
void vrtc_init(struct vrtc *v, const struct vdev_host *host);
/* The RESET pin: interrupts off, time and alarm stay. */
void vrtc_reset(struct vrtc *v);
/* Time since 1970 (as local or universal as the guest wants it) at the domain's time zero. */
void vrtc_set_time(struct vrtc *v, int64_t unix_seconds, uint32_t ns);
/* What the clock says now, in seconds since 1970. */
int64_t vrtc_get_time(const struct vrtc *v);
/* By how many seconds software has set the clock forward since vrtc_set_time(), all its changes together. */
int64_t vrtc_moved(const struct vrtc *v);
/*
 * Ports 70h, 71h. Any other index than those above is remembered but unclaimed, and so is its data:
 * the device model sees both.
 */
enum io_result vrtc_io(struct vrtc *v, struct io_access *a);
void vrtc_timer(struct vrtc *v, unsigned int id);
/* While v->tick owes something: a processor took an interrupt. */
void vrtc_taken(struct vrtc *v);

#endif
