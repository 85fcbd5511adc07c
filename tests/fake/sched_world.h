/*
 * A made-up machine under the real scheduler (hv/core/sched*.c): CPUs, one clock, timers, and units that run and sleep by a plan.
 *
 * Nothing switches stacks: the world plays the unit that has the CPU. Time stands still while the scheduler works, so what
 * is measured is its policy alone.
 */
#ifndef TESTS_FAKE_SCHED_WORLD_H
#define TESTS_FAKE_SCHED_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include "core/sched.h"

#define MS ((uint64_t)1000000)
#define WORLD_UNITS 1100u

/* A unit's plan: run for `burst` ns (0: for ever), then sleep for `sleep` ns, and so on. */
struct world_unit {
	struct sched_unit unit;
	uint64_t burst, sleep;
	uint64_t left;                  /* of the burst */
	uint64_t wake_at;               /* ns; 0: it is not asleep */
	uint64_t waits_since;           /* ns: when it woke; 0: it has run since */
	uint64_t worst_wait;            /* from a wake-up to running */
	uint64_t wakes;
	bool answered;                  /* it sleeps for an answer, which comes from whoever has its CPU then */
};

extern uint64_t world_now;
extern uint64_t world_timer_fires;      /* of the scheduler's own timers */
extern struct world_unit world_unit[WORLD_UNITS];

/* CPUs that idle at time 0, no units. */
void world_reset(unsigned int cpus);
/* A unit that wakes at `start`. */
struct world_unit *world_add(unsigned int cpu, bool pinned, uint64_t burst, uint64_t sleep, uint64_t start);
void world_run(uint64_t ns);
/* The scheduler's calls, as made on that CPU. */
void world_on(unsigned int cpu);
/* Time that the unit has had the CPU. */
uint64_t world_ran(const struct world_unit *w);

#endif
