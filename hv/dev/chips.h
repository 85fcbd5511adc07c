/*
 * The timer and glue chips of one virtual PC: 8254 with port 61h, HPET, RTC/CMOS, ACPI PM timer and
 * PM1a event block, port E9h. Each is a struct with init, reset, io and timer functions; each timer
 * asks for time and wake-ups through struct vdev_host.
 */
#ifndef DEV_CHIPS_H
#define DEV_CHIPS_H

#include "dev/vpit.h"
#include "dev/vhpet.h"
#include "dev/vrtc.h"
#include "dev/vpmtimer.h"
#include "dev/debugcon.h"

#endif
