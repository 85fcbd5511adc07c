/*
 * The ticks of one periodic timer interrupt, and what becomes of those that the guest missed.
 *
 * A tick is missed when it comes due while the one before still waits for a processor to take it, or when it is found
 * a whole period late. The chip says what came due, and when a waiting one was taken; this says what to raise.
 * Only the interrupts: the counters that a guest can read always tell the true time. Caller's lock.
 */
#ifndef DEV_VTICK_H
#define DEV_VTICK_H

#include <stdbool.h>
#include <stdint.h>

/* The numbers are those of HVM_PARAM_TIMER_MODE. */
enum vtick_policy {
	VTICK_DELAY,            /* missed ones never come; after them the next is a whole period away */
	VTICK_CATCHUP,          /* each missed one is raised as soon as the one before it was taken */
	VTICK_DISCARD,          /* missed ones never come; the next is on time */
	VTICK_MERGE,            /* those that were missed are one, at once; the next is on time */
	VTICK_POLICIES
};

/* More than these are forgotten: a guest that was away for minutes need not live through all of them. */
#define VTICK_OWED_MAX 20000u

struct vtick {
	uint8_t policy;         /* enum vtick_policy */
	bool restart;           /* the next tick is a whole period from now */
	uint32_t owed;          /* to be raised; with VTICK_DELAY 1: one waits, and time stands still */
};

/* count (not 0) ticks came due, waiting: one from before was not taken yet. True: raise one now. */
bool vtick_due(struct vtick *t, uint64_t count, bool waiting);
/* While something is owed: an interrupt was taken. True: raise one now. */
bool vtick_taken(struct vtick *t, bool waiting);
/* After these two: do the coming ticks begin anew, a period from now? Asks once. */
bool vtick_restarts(struct vtick *t);
/* The timer was programmed anew. */
void vtick_forget(struct vtick *t);

#endif
