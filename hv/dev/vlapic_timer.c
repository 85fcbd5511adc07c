/*
 * Local APIC timer: one-shot, periodic, TSC deadline.
 *
 * Manual: Intel SDM, "APIC Timer". The countdown is never stepped: the count follows from the time
 * at which it began, so nothing drifts and a masked periodic timer costs nothing. The host's timer
 * is armed only when an interrupt can come of it. All by the vCPU's own loop.
 */
#include "lib/util.h"
#include "dev/vlapic_int.h"

/*
 * A periodic timer interrupts at most this often, whatever the guest programs: the host must
 * live, and it pays for this timer while the guest does not run.
 */
#define MIN_PERIOD_NS 200000u

/* Of a faster one each look is one tick, not all that passed: nobody could take them. */
#define LEAST_PERIOD_NS 10000u
/* Some twenty minutes, or an hour. */
#define FAR_AWAY_TSC (1ull << 42)

static uint32_t timer_mode(const struct vlapic *v)
{
	return v->lvt[LVT_TIMER] & LVT_TIMER_MODE;
}

/* log2 of the divisor: the register counts 2, 4, ... 128, 1. */
static unsigned int divide_shift(uint32_t dcr)
{
	return (((dcr & 3) | (dcr >> 1 & 4)) + 1) & 7;
}

static uint64_t countdown_ns(const struct vlapic *v)
{
	return ((uint64_t)v->timer_icr << divide_shift(v->timer_dcr)) * VLAPIC_BUS_NS;
}

/*
 * Times may wrap around zero (a countdown begun before the domain's time zero); differences do
 * not.
 */
static uint64_t elapsed_ns(const struct vlapic *v)
{
	return v->host->now_ns(v->host->ctx) - v->timer_start_ns;
}

static void set_host_timer(struct vlapic *v, uint64_t deadline)
{
	if (deadline != v->timer_deadline_ns) {
		v->timer_deadline_ns = deadline;
		v->host->timer_set(v->host->ctx, deadline);
	}
}

static void arm_deadline(struct vlapic *v)
{
	uint64_t tsc, at, now;

	if (v->tsc_deadline == 0) {
		set_host_timer(v, 0);
		return;
	}
	/* What is too far away to have a time in ns is looked at again on the way. */
	tsc = v->host->tsc(v->host->ctx);
	if (v->tsc_deadline > tsc) {
		tsc += MIN(v->tsc_deadline - tsc, FAR_AWAY_TSC);
	}
	/* Rounding may put the time just before the TSC value: then again a little later. */
	at = v->host->tsc_to_ns(v->host->ctx, tsc);
	now = v->host->now_ns(v->host->ctx);
	set_host_timer(v, MAX(at, now + 1));
}

static void arm_countdown(struct vlapic *v)
{
	uint64_t length = countdown_ns(v), elapsed, left;

	if (!v->timer_running || length == 0 || (v->lvt[LVT_TIMER] & LVT_MASKED)) {
		set_host_timer(v, 0);
		return;
	}
	elapsed = elapsed_ns(v);
	if (timer_mode(v) == LVT_TIMER_PERIODIC) {
		if (length < MIN_PERIOD_NS) {
			elapsed += MIN_PERIOD_NS;
		}
		left = (elapsed / length + 1) * length;
	} else {
		left = length;
	}
	set_host_timer(v, MAX(v->timer_start_ns + left, 1u));
}

static void arm(struct vlapic *v)
{
	if (timer_mode(v) == LVT_TIMER_DEADLINE) {
		arm_deadline(v);
	} else {
		arm_countdown(v);
	}
}

static bool waiting(const struct vlapic *v)
{
	return vlapic_waiting(v, v->lvt[LVT_TIMER] & LVT_VECTOR);
}

/* With the delaying policy the whole countdown begins anew: that is the tick's period. */
static void restart_ticks(struct vlapic *v)
{
	if (vtick_restarts(&v->tick)) {
		v->timer_start_ns = v->host->now_ns(v->host->ctx);
	}
}

/* Rounds of a periodic countdown have ended. */
static void settle_tick(struct vlapic *v, uint64_t count)
{
	if (!(v->lvt[LVT_TIMER] & LVT_MASKED) && vtick_due(&v->tick, count, waiting(v))) {
		vlapic_fire_lvt(v, LVT_TIMER);
	}
	restart_ticks(v);
}

/*
 * Do what has come due by now, under the LVT entry as it is; a masked end of a countdown is lost.
 */
static void settle(struct vlapic *v)
{
	uint64_t length = countdown_ns(v), elapsed;

	if (timer_mode(v) == LVT_TIMER_DEADLINE) {
		if (v->tsc_deadline != 0 && v->host->tsc(v->host->ctx) >= v->tsc_deadline) {
			v->tsc_deadline = 0;
			vlapic_fire_lvt(v, LVT_TIMER);
		}
		return;
	}
	if (!v->timer_running || length == 0) {
		return;
	}
	elapsed = elapsed_ns(v);
	if (elapsed < length) {
		return;
	}
	if (timer_mode(v) != LVT_TIMER_PERIODIC) {
		v->timer_running = false;
		vlapic_fire_lvt(v, LVT_TIMER);
		return;
	}
	v->timer_start_ns += elapsed / length * length;
	settle_tick(v, length < LEAST_PERIOD_NS ? 1 : elapsed / length);
}

void vlapic_timer_taken(struct vlapic *v, uint8_t vector)
{
	if (vector != (v->lvt[LVT_TIMER] & LVT_VECTOR)) {
		return;
	}
	settle(v);
	if (vtick_taken(&v->tick, waiting(v))) {
		vlapic_fire_lvt(v, LVT_TIMER);
	}
	restart_ticks(v);
	arm(v);
}

void vlapic_timer_reset(struct vlapic *v)
{
	v->timer_icr = 0;
	v->timer_dcr = 0;
	v->timer_start_ns = 0;
	v->timer_running = false;
	v->tsc_deadline = 0;
	vtick_forget(&v->tick);
	set_host_timer(v, 0);
}

uint32_t vlapic_timer_count(const struct vlapic *v)
{
	uint64_t ticks;

	if (!v->timer_running || v->timer_icr == 0 || timer_mode(v) == LVT_TIMER_DEADLINE) {
		return 0;
	}
	ticks = (elapsed_ns(v) / VLAPIC_BUS_NS) >> divide_shift(v->timer_dcr);
	if (timer_mode(v) == LVT_TIMER_PERIODIC) {
		return v->timer_icr - (uint32_t)(ticks % v->timer_icr);
	}
	return ticks >= v->timer_icr ? 0 : v->timer_icr - (uint32_t)ticks;
}

void vlapic_timer_write_icr(struct vlapic *v, uint32_t value)
{
	if (timer_mode(v) == LVT_TIMER_DEADLINE) {
		return;
	}
	/* The end of the countdown that this one replaces may not have been seen yet. */
	settle(v);
	vtick_forget(&v->tick);
	v->timer_icr = value;
	v->timer_start_ns = v->host->now_ns(v->host->ctx);
	v->timer_running = value != 0;
	arm(v);
}

/* The count goes on from where it is, at the new speed. */
void vlapic_timer_write_dcr(struct vlapic *v, uint32_t value)
{
	uint32_t count;

	settle(v);
	count = vlapic_timer_count(v);
	v->timer_dcr = value & 0xb;
	if (v->timer_running) {
		uint64_t done = (uint64_t)(v->timer_icr - count) << divide_shift(v->timer_dcr);

		v->timer_start_ns = v->host->now_ns(v->host->ctx) - done * VLAPIC_BUS_NS;
	}
	arm(v);
}

void vlapic_timer_write_lvt(struct vlapic *v, uint32_t value)
{
	bool was_deadline = timer_mode(v) == LVT_TIMER_DEADLINE;

	settle(v);
	vtick_forget(&v->tick);
	v->lvt[LVT_TIMER] = value;
	if ((timer_mode(v) == LVT_TIMER_DEADLINE) != was_deadline) {
		/* Between deadline mode and the others the timer is disarmed. */
		v->timer_running = false;
		v->timer_icr = 0;
		v->tsc_deadline = 0;
	}
	arm(v);
}

uint64_t vlapic_timer_read_deadline(const struct vlapic *v)
{
	return timer_mode(v) == LVT_TIMER_DEADLINE ? v->tsc_deadline : 0;
}

void vlapic_timer_write_deadline(struct vlapic *v, uint64_t tsc)
{
	if (timer_mode(v) != LVT_TIMER_DEADLINE) {
		return;
	}
	v->tsc_deadline = tsc;
	settle(v);
	arm(v);
}

void vlapic_timer_expired(struct vlapic *v)
{
	v->timer_deadline_ns = 0;
	settle(v);
	arm(v);
}
