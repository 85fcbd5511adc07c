/*
 * The local APIC while a processor delivers its interrupts without an exit: what is lent to it before an entry, and what
 * comes back after the exit. Manual: Intel SDM volume 3, "APIC Virtualization and Virtual Interrupts".
 *
 * Requests leave irr, so that one that comes meanwhile is seen as new, and whoever set it ends the run. What was lent
 * still counts as waiting (vlapic_waiting()) until it comes back. Locking: see vlapic.h; both functions are the owner's.
 */
#include "dev/vlapic_int.h"
#include "lib/atomic.h"
#include "lib/mem.h"
#include "lib/util.h"

void vlapic_run_lend(struct vlapic *v, struct vlapic_run *r)
{
	/* A disabled APIC keeps what it has, and delivers nothing. */
	bool on = vlapic_sw_enabled(v);

	for (unsigned int i = 0; i < 4; i++) {
		/* before irr is emptied: a timer that asks in between finds it in one of the two */
		WRITE_ONCE(v->lent[i], on ? READ_ONCE(v->irr[i]) : 0);
		if (v->lent[i] != 0) {
			WRITE_ONCE(v->lent[i], atomic_xchg(&v->irr[i], 0));
		}
		r->irr[i] = v->lent[i];
		r->isr[i] = v->isr[i];
		r->level[i] = v->svr & SVR_SUPPRESS ? 0 : READ_ONCE(v->tmr[i]);
	}
	r->tpr = (uint8_t)v->tpr;
}

/* The timer wants to know that its own interrupt went in, while it owes some. */
static void tell_timer(struct vlapic *v, const uint64_t *taken)
{
	uint8_t vector = v->lvt[LVT_TIMER] & LVT_VECTOR;

	if (v->tick.owed != 0 && (taken[vector / 64] >> vector % 64 & 1)) {
		vlapic_timer_taken(v, vector);
	}
}

bool vlapic_run_back(struct vlapic *v, const struct vlapic_run *r, int ended)
{
	uint64_t taken[4], any = 0;

	for (unsigned int i = 0; i < 4; i++) {
		taken[i] = v->lent[i] & ~r->irr[i];
		any |= taken[i];
		if (r->irr[i] != 0) {
			atomic_or(&v->irr[i], r->irr[i]);
		}
		WRITE_ONCE(v->lent[i], 0);
		v->isr[i] = r->isr[i];
	}
	v->tpr = r->tpr;
	if (ended >= 0) {
		v->host->eoi(v->host->ctx, (uint8_t)ended);
	}
	tell_timer(v, taken);
	return any != 0;
}
