/*
 * ACPI power management timer and PM1a event block (ACPI specification, "Fixed Hardware Features").
 *
 * Eight of the block's ports are here: event status and enable at base, timer at base + 8. The PM1a
 * control register between them is the device model's. SCI is ISA interrupt 9, level. Caller's
 * lock.
 */
#ifndef DEV_VPMTIMER_H
#define DEV_VPMTIMER_H

#include <stdbool.h>
#include <stdint.h>
#include "dev/vdev.h"

#define VPMTIMER_HZ     3579545u
/* The block's place by HVM_PARAM_ACPI_IOPORTS_LOCATION, and its length. */
#define VPMTIMER_BASE_0 0x1f40u
#define VPMTIMER_BASE_1 0xb000u
#define VPMTIMER_PORTS  12u

struct vpmtimer {
	const struct vdev_host *host;
	uint16_t base;
	uint16_t status, enable;
	bool sci;
	uint64_t last_ns;               /* the timer's status bit is complete up to here */
};

/* At VPMTIMER_BASE_0; calls nothing of the host yet. */
void vpmtimer_init(struct vpmtimer *v, const struct vdev_host *host);
void vpmtimer_reset(struct vpmtimer *v);
/* Value of HVM_PARAM_ACPI_IOPORTS_LOCATION: 0 or 1, else -EINVAL. */
int vpmtimer_set_location(struct vpmtimer *v, uint64_t location);
/* Ports of the current place only: the owner routes both here. */
enum io_result vpmtimer_io(struct vpmtimer *v, struct io_access *a);
void vpmtimer_timer(struct vpmtimer *v, unsigned int id);
/* Somebody presses a button, or the machine wakes up: status bit, and SCI when enabled. */
void vpmtimer_power_button(struct vpmtimer *v);
void vpmtimer_sleep_button(struct vpmtimer *v);
void vpmtimer_wake(struct vpmtimer *v);

#endif
