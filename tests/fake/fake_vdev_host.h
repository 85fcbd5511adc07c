/*
 * A world for one chip under test: a clock that the test sets, timers that fire when it is moved
 * on, and a record of interrupt wires and messages.
 */
#ifndef TESTS_FAKE_VDEV_HOST_H
#define TESTS_FAKE_VDEV_HOST_H

#include "dev/vdev.h"

#define FAKE_TIMERS 8
#define FAKE_GSIS   64

struct fake_world {
	struct vdev_host host;          /* give &host to the chip's init */
	void (*timer)(void *dev, unsigned int id);
	void *dev;
	uint64_t now;
	uint64_t deadline[FAKE_TIMERS]; /* 0: not armed */
	unsigned int armed;             /* calls of timer_set with a deadline */
	unsigned int fired;             /* timer calls made */
	bool level[FAKE_GSIS];
	bool waiting[FAKE_GSIS];        /* set by the test: nobody took the last edge yet */
	unsigned int rises[FAKE_GSIS];
	uint64_t last_rise[FAKE_GSIS];
	unsigned int msis;
	uint64_t msi_addr;
	uint32_t msi_data;
	bool msi_waiting;               /* set by the test */
};

/* Empty world at time now; timer(dev, id) is the chip's timer function. */
void fake_world_init(struct fake_world *w, uint64_t now, void (*timer)(void *dev, unsigned int id),
		     void *dev);
/* Move the clock to a time, serving every timer on the way at its exact deadline. */
void fake_run_to(struct fake_world *w, uint64_t ns);
void fake_run(struct fake_world *w, uint64_t ns);

#endif
