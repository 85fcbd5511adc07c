/*
 * A local APIC under test and the world around it: a clock that the test moves, and a record of what the APIC asked for.
 * For the test programs of vlapic*.c, which have one of each.
 */
#ifndef TESTS_FAKE_VLAPIC_WORLD_H
#define TESTS_FAKE_VLAPIC_WORLD_H

#include <errno.h>
#include <string.h>
#include "dev/vlapic.h"
#include "fake/suite.h"

#define BASE VLAPIC_DEFAULT_BASE

struct world {
	uint64_t now, tsc_per_ns;
	uint64_t timer;
	unsigned int timer_sets, ipis, eois, enabled, dest_changes;
	uint8_t last_eoi;
	struct apic_msg last_ipi;
};

static uint64_t w_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static uint64_t w_tsc(void *ctx)
{
	struct world *w = ctx;
	return w->now * w->tsc_per_ns;
}

static uint64_t w_tsc_to_ns(void *ctx, uint64_t tsc)
{
	return tsc / ((struct world *)ctx)->tsc_per_ns;
}

static void w_timer_set(void *ctx, uint64_t deadline)
{
	((struct world *)ctx)->timer = deadline;
	((struct world *)ctx)->timer_sets++;
}

static void w_ipi(void *ctx, const struct apic_msg *msg)
{
	((struct world *)ctx)->last_ipi = *msg;
	((struct world *)ctx)->ipis++;
}

static void w_eoi(void *ctx, uint8_t vector)
{
	((struct world *)ctx)->last_eoi = vector;
	((struct world *)ctx)->eois++;
}

static void w_enabled(void *ctx)
{
	((struct world *)ctx)->enabled++;
}

static void w_dest_changed(void *ctx)
{
	((struct world *)ctx)->dest_changes++;
}

static struct world w;
static const struct vlapic_host host = {
	.now_ns = w_now, .tsc = w_tsc, .tsc_to_ns = w_tsc_to_ns, .timer_set = w_timer_set,
	.ipi = w_ipi, .eoi = w_eoi, .enabled = w_enabled, .dest_changed = w_dest_changed, .ctx = &w,
};
static struct vlapic v;

static inline uint32_t rd(uint64_t offset)
{
	struct io_access a = { .space = IO_MMIO, .size = 4, .addr = BASE + offset, .data = ~0ull };

	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_DONE);
	return a.data;
}

static inline void wr(uint64_t offset, uint32_t value)
{
	struct io_access a = { .space = IO_MMIO, .write = true, .size = 4, .addr = BASE + offset,
			       .data = value };

	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_DONE);
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint64_t value = ~0ull;

	ck_assert_int_eq(vlapic_msr_read(&v, msr, &value), 0);
	return value;
}

#define wrmsr_ok(msr, value) ck_assert_int_eq(vlapic_msr_write(&v, (msr), (value)), 0)
#define wrmsr_gp(msr, value) ck_assert_int_eq(vlapic_msr_write(&v, (msr), (value)), -EINVAL)
#define ENTER_X2APIC() wrmsr_ok(0x1b, BASE | APIC_BASE_ENABLE | APIC_BASE_X2APIC)

/* Let time pass; the timer's deadlines on the way are served at their exact time. */
static inline void advance(uint64_t ns)
{
	uint64_t end = w.now + ns;

	while (w.timer != 0 && w.timer <= end) {
		w.now = w.timer > w.now ? w.timer : w.now;
		w.timer = 0;
		vlapic_timer_expired(&v);
	}
	w.now = end;
}

/* Take and count a pending vector, with its EOI. */
static inline unsigned int take(uint8_t vector)
{
	if (vlapic_pending(&v) != vector) {
		return 0;
	}
	vlapic_ack(&v, vector);
	vlapic_write_eoi(&v);
	return 1;
}

static inline void setup(void)
{
	memset(&w, 0, sizeof(w));
	w.tsc_per_ns = 3;
	w.now = 1000000;
	vlapic_init(&v, &host, 6, true, true);
	v.tick.policy = VTICK_MERGE;
	wr(0xf0, 0x1ff);
}

#endif
