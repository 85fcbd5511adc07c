/*
 * hvm/ticks.c with real chips around it: when is a tick taken, who owes one, which policy does the parameter name.
 * A clock that the test moves is the world.
 */
#include <string.h>
#include "fake/fake_vcpu.h"
#include "fake/rnd.h"
#include "fake/suite.h"
#include "hvm/hvm_pc.h"
#include "lib/err.h"

static struct hvm_domain *const h = &fake_vcpu.hvm_domain;
static struct vlapic *const lapic = &fake_vcpu.hvm.lapic;
static struct vcpu *vcpus[1] = { &fake_vcpu.v };
static uint64_t now, deadline;

void spin_lock(struct spinlock *l)
{
	MUST(l->cpu == 0);
	l->cpu = 1;
}

void spin_unlock(struct spinlock *l)
{
	MUST(l->cpu == 1);
	l->cpu = 0;
}

/* ---- the chips' world ---- */

static uint64_t c_now(void *ctx)
{
	return now;
}

static void c_timer_set(void *ctx, unsigned int id, uint64_t ns)
{
	deadline = ctx == &h->pit ? ns : deadline;
}

static void c_irq_set(void *ctx, unsigned int gsi, bool level)
{
	(void)irqline_set(&h->irq, IRQLINE_CHIP, gsi, level);
}

static bool c_irq_waiting(void *ctx, unsigned int gsi)
{
	return hvm_gsi_waiting(h, gsi);
}

static void l_timer_set(void *ctx, uint64_t ns)
{
}

static void l_nothing(void *ctx)
{
}

static void l_eoi(void *ctx, uint8_t vector)
{
}

static void pic_intr(void *ctx, bool level)
{
}

static void send(void *ctx, const struct apic_msg *m)
{
	vlapic_set_irq(lapic, m->vector, m->level);
}

static const struct vdev_host chips[] = {
	{ .now_ns = c_now, .timer_set = c_timer_set, .irq_set = c_irq_set, .irq_waiting = c_irq_waiting,
	  .ctx = &fake_vcpu.hvm_domain.pit },
	{ .now_ns = c_now, .timer_set = c_timer_set, .irq_set = c_irq_set, .irq_waiting = c_irq_waiting },
};
static const struct vlapic_host lapic_host = {
	.now_ns = c_now, .tsc = c_now, .timer_set = l_timer_set, .eoi = l_eoi, .enabled = l_nothing,
};
static const struct vpic_host pic_host = { .intr = pic_intr };
static const struct vioapic_host ioapic_host = { .send = send };

static void setup(void)
{
	fake_vcpu_reset();
	fake_vcpu.d.vcpu = vcpus;
	h->has_pc = true;
	now = 1000000;
	vpic_init(&h->pic, &pic_host);
	vioapic_init(&h->ioapic, &ioapic_host, 1);
	irqline_init(&h->irq, &h->pic, &h->ioapic);
	vpit_init(&h->pit, &chips[0]);
	vrtc_init(&h->rtc, &chips[1]);
	vhpet_init(&h->hpet, &chips[1]);
	vlapic_init(lapic, &lapic_host, 0, true, true);
}

static void out(uint64_t port, uint8_t value)
{
	struct io_access a = { .space = IO_PIO, .write = true, .size = 1, .addr = port, .data = value };

	MUST((port >= 0x40 ? vpit_io(&h->pit, &a) : vpic_io(&h->pic, &a)) == IO_DONE);
}

static void put(uint64_t offset, uint32_t value)
{
	struct io_access a = { .space = IO_MMIO, .write = true, .size = 4, .addr = VLAPIC_DEFAULT_BASE + offset,
			       .data = value };

	MUST(vlapic_mmio(lapic, &a) == IO_DONE);
}

static void pin(unsigned int n, uint32_t value)
{
	struct io_access a = { .space = IO_MMIO, .write = true, .size = 4, .addr = VIOAPIC_BASE, .data = 0x10 + 2 * n };

	vioapic_mmio(&h->ioapic, &a);
	a.addr = VIOAPIC_BASE + 0x10;
	a.data = value;
	vioapic_mmio(&h->ioapic, &a);
}

/* Let the 8254's timer come at its deadlines for a time. */
static void run(uint64_t ns)
{
	uint64_t end = now + ns;

	while (deadline != 0 && deadline <= end) {
		now = deadline;
		vpit_timer(&h->pit, 0);
		hvm_ticks_note(h);
	}
	now = end;
}

static void start_pit(void)
{
	out(0x43, 0x34);
	out(0x40, 1193 & 0xff);
	out(0x40, 1193 >> 8);
}

START_TEST(test_through_ioapic)
{
	unsigned int taken = 0;

	ck_assert_int_eq(hvm_set_timer_mode(&fake_vcpu.d, 1), 0);
	put(0xf0, 0x1ff);
	pin(2, 0x31);
	start_pit();
	run(10500000);
	ck_assert(h->ticks_owed);
	while (vlapic_pending(lapic) == 0x31) {
		vlapic_ack(lapic, 0x31);
		if (h->ticks_owed) {
			hvm_ticks_taken(h);
		}
		vlapic_write_eoi(lapic);
		taken++;
	}
	ck_assert_uint_eq(taken, 11);           /* the output rose when the mode was set, and ten periods */
	ck_assert(!h->ticks_owed);
	/* A masked pin loses them: nothing waits, nothing is owed. */
	pin(2, 0x10031);
	run(10000000);
	ck_assert(!h->ticks_owed);
	ck_assert_int_eq(vlapic_pending(lapic), -1);
}
END_TEST

START_TEST(test_through_pic)
{
	static const uint8_t words[] = { 0x11, 0x20, 0x04, 0x01 };
	unsigned int taken = 0;

	ck_assert_int_eq(hvm_set_timer_mode(&fake_vcpu.d, 1), 0);
	for (unsigned int i = 0; i < 4; i++) {
		out(0x20 + (i > 0), words[i]);
	}
	out(0x21, 0xfe);
	start_pit();
	/* INTR goes nowhere as long as LINT0 is masked: what waits there does not hold the next one back. */
	put(0xf0, 0x1ff);
	run(5000000);
	ck_assert(!h->ticks_owed);
	put(0x350, 0x700);
	run(10000000);
	ck_assert(h->ticks_owed);
	while (vpic_pending(&h->pic)) {
		ck_assert_uint_eq(vpic_ack(&h->pic), 0x20);
		if (h->ticks_owed) {
			hvm_ticks_taken(h);
		}
		out(0x20, 0x20);
		taken++;
	}
	ck_assert_uint_eq(taken, 11);           /* the one from before, and ten */
}
END_TEST

/* A minute of 1 kHz with a processor that is away up to fifty milliseconds at a time: how many ticks it took. */
static unsigned int minute(uint64_t policy)
{
	const uint64_t end = 60000000000ull;
	struct rnd r = { 60 };
	unsigned int taken = 0;

	setup();
	MUST(hvm_set_timer_mode(&fake_vcpu.d, policy) == 0);
	put(0xf0, 0x1ff);
	start_pit();
	pin(2, 0x31);
	for (uint64_t begin = now; now < begin + end;) {
		/* Away, then there for a while, looking often. */
		run(MIN(rnd_below(&r, 50000000), begin + end - now));
		for (uint64_t until = MIN(now + rnd_below(&r, 50000000), begin + end); now <= until; run(100000)) {
			while (vlapic_pending(lapic) == 0x31) {
				vlapic_ack(lapic, 0x31);
				if (h->ticks_owed) {
					hvm_ticks_taken(h);
				}
				vlapic_write_eoi(lapic);
				taken++;
			}
		}
	}
	return taken;
}

START_TEST(test_counts_in_a_minute)
{
	const unsigned int due = (uint64_t)60 * VPIT_HZ / 1193;
	unsigned int caught_up = minute(VTICK_CATCHUP), merged = minute(VTICK_MERGE), delayed = minute(VTICK_DELAY);

	/* Not one is lost, but those that are still owed when the minute ends. */
	ck_assert_uint_le(caught_up, due + 1);
	ck_assert_uint_ge(caught_up, due - 50);
	/* Half of the time away: one tick for each time, and those of the other half. */
	ck_assert_uint_lt(merged, due * 6 / 10);
	ck_assert_uint_gt(merged, due * 4 / 10);
	ck_assert_uint_eq(minute(VTICK_DISCARD), merged);
	/* After each time away the next one is a whole period off. */
	ck_assert_uint_lt(delayed, merged);
	ck_assert_uint_gt(delayed, merged * 9 / 10);
}
END_TEST

START_TEST(test_messages)
{
	put(0xf0, 0x1ff);
	ck_assert(!hvm_msi_waiting(h, 0xfee00000, 0x51));
	vlapic_set_irq(lapic, 0x51, false);
	ck_assert(hvm_msi_waiting(h, 0xfee00000, 0x51));
	vlapic_ack(lapic, 0x51);
	ck_assert(!hvm_msi_waiting(h, 0xfee00000, 0x51));
	/* Before there is a vCPU nothing waits. */
	fake_vcpu.d.vcpu = NULL;
	ck_assert(!hvm_gsi_waiting(h, 0));
}
END_TEST

static int set(uint64_t param)
{
	return hvm_set_timer_mode(&fake_vcpu.d, param);
}

START_TEST(test_param)
{
	for (uint64_t mode = 0; mode <= 3; mode++) {
		ck_assert_int_eq(set(mode), 0);
		ck_assert_uint_eq(h->pit.tick.policy, mode);
		ck_assert_uint_eq(h->rtc.tick.policy, mode);
		ck_assert_uint_eq(h->hpet.timer[2].tick.policy, mode);
		ck_assert_uint_eq(lapic->tick.policy, mode);
	}
	ck_assert_int_eq(set(4), -EINVAL);
	ck_assert_int_eq(set(0xff), -EINVAL);
	/* Each its own: 8254 delays, RTC catches up, HPET merges, the local APIC discards; none says otherwise. */
	ck_assert_int_eq(set(0x342101), 0);
	ck_assert_uint_eq(h->pit.tick.policy, VTICK_DELAY);
	ck_assert_uint_eq(h->rtc.tick.policy, VTICK_CATCHUP);
	ck_assert_uint_eq(h->hpet.timer[0].tick.policy, VTICK_MERGE);
	ck_assert_uint_eq(lapic->tick.policy, VTICK_DISCARD);
	ck_assert_int_eq(set(0x040002), 0);
	ck_assert_uint_eq(h->pit.tick.policy, VTICK_DISCARD);
	ck_assert_uint_eq(h->hpet.timer[0].tick.policy, VTICK_MERGE);
	ck_assert_int_eq(set(0x000500), -EINVAL);
	ck_assert_int_eq(set(0x1000000), -EINVAL);
	ck_assert_int_eq(set(1ull << 63), -EINVAL);
	ck_assert_uint_eq(h->pit.tick.policy, VTICK_DISCARD);
	/* A vCPU that comes later asks for it. */
	ck_assert_uint_eq(h->lapic_policy, VTICK_DISCARD);
	/* A domain without these chips takes the parameter too. */
	h->has_pc = false;
	ck_assert_int_eq(set(1), 0);
	ck_assert_uint_eq(h->pit.tick.policy, VTICK_DISCARD);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_through_ioapic, test_through_pic, test_counts_in_a_minute, test_messages, test_param,
					NULL };

	return suite_run("ticks", setup, tests);
}
