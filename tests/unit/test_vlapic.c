/*
 * vlapic*.c: values and rules of the Intel SDM's APIC chapter: priorities, both register views,
 * IA32_APIC_BASE transitions, ICR and destinations, errors, the three timer modes.
 */
#include <errno.h>
#include <string.h>
#include "dev/vlapic.h"
#include "fake/rnd.h"
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

static uint32_t rd(uint64_t offset)
{
	struct io_access a = { .space = IO_MMIO, .size = 4, .addr = BASE + offset, .data = ~0ull };

	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_DONE);
	return a.data;
}

static void wr(uint64_t offset, uint32_t value)
{
	struct io_access a = { .space = IO_MMIO, .write = true, .size = 4, .addr = BASE + offset,
			       .data = value };

	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_DONE);
}

static uint64_t rdmsr(uint32_t msr)
{
	uint64_t value = ~0ull;

	ck_assert_int_eq(vlapic_msr_read(&v, msr, &value), 0);
	return value;
}

#define wrmsr_ok(msr, value) ck_assert_int_eq(vlapic_msr_write(&v, (msr), (value)), 0)
#define wrmsr_gp(msr, value) ck_assert_int_eq(vlapic_msr_write(&v, (msr), (value)), -EINVAL)
#define ENTER_X2APIC() wrmsr_ok(0x1b, BASE | APIC_BASE_ENABLE | APIC_BASE_X2APIC)

/* Let time pass; the timer's deadlines on the way are served at their exact time. */
static void advance(uint64_t ns)
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
static unsigned int take(uint8_t vector)
{
	if (vlapic_pending(&v) != vector) {
		return 0;
	}
	vlapic_ack(&v, vector);
	vlapic_write_eoi(&v);
	return 1;
}

static void setup(void)
{
	memset(&w, 0, sizeof(w));
	w.tsc_per_ns = 3;
	w.now = 1000000;
	vlapic_init(&v, &host, 6, true, true);
	v.tick.policy = VTICK_MERGE;
	wr(0xf0, 0x1ff);
}

START_TEST(test_reset_values)
{
	vlapic_init(&v, &host, 6, true, true);
	ck_assert_uint_eq(rdmsr(0x1b), 0xfee00900);
	ck_assert_uint_eq(rd(0x20), 0x06000000);
	ck_assert_uint_eq(rd(0x30), 0x00060014);
	ck_assert_uint_eq(rd(0x80), 0);
	ck_assert_uint_eq(rd(0xa0), 0);
	ck_assert_uint_eq(rd(0xd0), 0);
	ck_assert_uint_eq(rd(0xe0), 0xffffffff);
	ck_assert_uint_eq(rd(0xf0), 0xff);
	for (unsigned int i = 0x320; i <= 0x370; i += 0x10) {
		ck_assert_uint_eq(rd(i), 0x10000);
	}
	ck_assert_uint_eq(rd(0x2f0), 0x10000);
	ck_assert_uint_eq(rd(0x380), 0);
	ck_assert_uint_eq(rd(0x390), 0);
	ck_assert_uint_eq(rd(0x3e0), 0);
	ck_assert(vlapic_hw_enabled(&v));
	ck_assert(!vlapic_sw_enabled(&v));
	vlapic_init(&v, &host, 7, false, true);
	ck_assert_uint_eq(rdmsr(0x1b), 0xfee00800);
}
END_TEST

START_TEST(test_irr_isr_tmr_registers)
{
	ck_assert(vlapic_set_irq(&v, 0x31, false));
	ck_assert(!vlapic_set_irq(&v, 0x31, false));
	ck_assert(vlapic_set_irq(&v, 0xfe, true));
	ck_assert_uint_eq(rd(0x210), 1u << 17);
	ck_assert_uint_eq(rd(0x270), 1u << 30);
	ck_assert_uint_eq(rd(0x1f0), 1u << 30);
	ck_assert_uint_eq(rd(0x190), 0);
	ck_assert_int_eq(vlapic_pending(&v), 0xfe);
	vlapic_ack(&v, 0xfe);
	ck_assert_uint_eq(rd(0x170), 1u << 30);
	ck_assert_uint_eq(rd(0x270), 0);
	ck_assert_int_eq(vlapic_pending(&v), -1);
	wr(0xb0, 0);
	ck_assert_uint_eq(rd(0x170), 0);
	ck_assert_uint_eq(w.eois, 1);
	ck_assert_uint_eq(w.last_eoi, 0xfe);
	ck_assert_int_eq(vlapic_pending(&v), 0x31);
	vlapic_ack(&v, 0x31);
	wr(0xb0, 0);
	ck_assert_uint_eq(w.eois, 1);
	/* The trigger mode follows the newest message. */
	vlapic_set_irq(&v, 0xfe, false);
	ck_assert_uint_eq(rd(0x1f0), 0);
	wr(0xb0, 0);
}
END_TEST

START_TEST(test_priorities)
{
	static const struct { uint8_t tpr, isr, ppr; } rows[] = {
		{ 0x00, 0x00, 0x00 }, { 0x25, 0x00, 0x25 }, { 0x25, 0x31, 0x30 },
		{ 0x35, 0x31, 0x35 }, { 0x45, 0x31, 0x45 }, { 0x30, 0x3f, 0x30 },
		{ 0xff, 0xf1, 0xff }, { 0x0f, 0x20, 0x20 },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup();
		wr(0x80, rows[i].tpr);
		if (rows[i].isr != 0) {
			vlapic_ack(&v, rows[i].isr);
		}
		ck_assert_uint_eq(rd(0xa0), rows[i].ppr);
	}
	/* Same class does not interrupt; the next class does. */
	setup();
	vlapic_ack(&v, 0x41);
	vlapic_set_irq(&v, 0x4f, false);
	ck_assert_int_eq(vlapic_pending(&v), -1);
	vlapic_set_irq(&v, 0x50, false);
	ck_assert_int_eq(vlapic_pending(&v), 0x50);
	vlapic_set_cr8(&v, 5);
	ck_assert_uint_eq(rd(0x80), 0x50);
	ck_assert_int_eq(vlapic_pending(&v), -1);
	wr(0x80, 0x4a);
	ck_assert_uint_eq(vlapic_get_cr8(&v), 4);
	ck_assert_int_eq(vlapic_pending(&v), 0x50);
	/* EOI retires the highest in service. */
	vlapic_ack(&v, 0x50);
	wr(0xb0, 0);
	ck_assert_uint_eq(rd(0x120), 1u << 1);
	wr(0xb0, 0);
	wr(0x80, 0);
	ck_assert_int_eq(vlapic_pending(&v), 0x4f);
}
END_TEST

START_TEST(test_software_disable)
{
	wr(0x350, 0x700);
	wr(0x320, 0x40);
	ck_assert(vlapic_accepts_pic(&v));
	wr(0xf0, 0xff);
	ck_assert_uint_eq(rd(0x350), 0x10700);
	ck_assert_uint_eq(rd(0x320), 0x10040);
	ck_assert(!vlapic_accepts_pic(&v));
	wr(0x350, 0x700);
	ck_assert_uint_eq(rd(0x350), 0x10700);
	ck_assert(!vlapic_set_irq(&v, 0x50, false));
	ck_assert_uint_eq(w.enabled, 1);
	wr(0xf0, 0x1ff);
	ck_assert_uint_eq(w.enabled, 2);
	wr(0xf0, 0x1fe);
	ck_assert_uint_eq(w.enabled, 2);
}
END_TEST

START_TEST(test_errors)
{
	wr(0x370, 0xe1);
	vlapic_set_irq(&v, 15, false);
	ck_assert_uint_eq(rd(0x280), 0);
	ck_assert_int_eq(vlapic_pending(&v), 0xe1);
	wr(0x280, 0);
	ck_assert_uint_eq(rd(0x280), 0x40);
	wr(0x280, 0);
	ck_assert_uint_eq(rd(0x280), 0);
	ck_assert_uint_eq(take(0xe1), 1);
	/* Send illegal vector, illegal register; one interrupt until the next ESR write. */
	wr(0x300, 0x4000f);
	ck_assert_uint_eq(take(0xe1), 1);
	rd(0x40);
	ck_assert_int_eq(vlapic_pending(&v), -1);
	wr(0x280, 0);
	ck_assert_uint_eq(rd(0x280), 0xa0);
	wr(0x300, 0x0000f);
	wr(0x280, 0);
	ck_assert_uint_eq(rd(0x280), 0x20);
	ck_assert_uint_eq(w.ipis, 0);
	/* An error entry with an illegal vector must not recurse. */
	wr(0x370, 0x05);
	rd(0x3f0);
	wr(0x280, 0);
	ck_assert_uint_eq(rd(0x280), 0xc0);
}
END_TEST

START_TEST(test_apic_base_transitions)
{
	const uint64_t en = BASE | APIC_BASE_ENABLE, x2 = en | APIC_BASE_X2APIC;

	wrmsr_gp(0x1b, BASE | APIC_BASE_X2APIC);        /* illegal state */
	wrmsr_gp(0x1b, en | 1);                         /* reserved bits */
	wrmsr_gp(0x1b, en | 1ull << 9);
	wrmsr_gp(0x1b, en | 1ull << 52);
	wrmsr_ok(0x1b, x2);
	ck_assert_uint_eq(rdmsr(0x1b), x2 | APIC_BASE_BSP);
	wrmsr_gp(0x1b, en);                             /* x2APIC to xAPIC */
	wrmsr_ok(0x1b, BASE);
	ck_assert(!vlapic_hw_enabled(&v));
	ck_assert(vlapic_accepts_pic(&v));
	wrmsr_gp(0x1b, x2);                             /* disabled to x2APIC */
	wrmsr_ok(0x1b, en);
	ck_assert_uint_eq(rd(0xf0), 0xff);              /* lost what it held */
	wrmsr_ok(0x1b, 0xfec10000 | APIC_BASE_ENABLE);
	struct io_access a = { .size = 4, .addr = BASE + 0x30 };
	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_UNCLAIMED);
	a.addr = 0xfec10030;
	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_DONE);
	ck_assert_uint_eq(a.data, 0x60014);
	vlapic_init(&v, &host, 6, true, false);
	wrmsr_gp(0x1b, x2);
}
END_TEST

START_TEST(test_x2apic_registers)
{
	uint64_t value;
	static const uint16_t read_only[] = { 0x802, 0x803, 0x80a, 0x80d, 0x810, 0x817, 0x818,
					      0x81f, 0x820, 0x827, 0x839 };
	static const uint16_t absent[] = { 0x800, 0x801, 0x804, 0x809, 0x80c, 0x80e, 0x829, 0x82e,
					   0x831, 0x83a, 0x83d };

	ck_assert_int_eq(vlapic_msr_read(&v, 0x802, &value), -EINVAL);
	vlapic_init(&v, &host, 0x123, false, true);
	ENTER_X2APIC();
	ck_assert_uint_eq(rdmsr(0x802), 0x123);
	ck_assert_uint_eq(rdmsr(0x80d), 0x00120008);
	for (unsigned int i = 0; i < sizeof(read_only) / 2; i++) {
		rdmsr(read_only[i]);
		wrmsr_gp(read_only[i], 0);
	}
	for (unsigned int i = 0; i < sizeof(absent) / 2; i++) {
		ck_assert_int_eq(vlapic_msr_read(&v, absent[i], &value), -EINVAL);
		wrmsr_gp(absent[i], 0);
	}
	ck_assert_int_eq(vlapic_msr_read(&v, 0x80b, &value), -EINVAL);
	ck_assert_int_eq(vlapic_msr_read(&v, 0x83f, &value), -EINVAL);
	wrmsr_gp(0x80b, 1);
	wrmsr_ok(0x80b, 0);
	wrmsr_gp(0x828, 1);
	wrmsr_ok(0x828, 0);
	wrmsr_gp(0x808, 0x100);
	wrmsr_gp(0x808, 1ull << 32);
	wrmsr_ok(0x808, 0x3f);
	ck_assert_uint_eq(rdmsr(0x80a), 0x3f);
	wrmsr_gp(0x80f, 0x1000);
	wrmsr_ok(0x80f, 0x1ff);
	wrmsr_gp(0x832, 0x80020);
	wrmsr_ok(0x832, 0x20020);
	wrmsr_gp(0x83e, 4);
	struct io_access a = { .size = 4, .addr = BASE + 0x30 };
	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_UNCLAIMED);
	/* Self IPI is edge-triggered and goes nowhere else. */
	wrmsr_ok(0x808, 0);
	wrmsr_gp(0x83f, 0x100);
	wrmsr_ok(0x83f, 0x77);
	ck_assert_uint_eq(take(0x77), 1);
	ck_assert_uint_eq(w.ipis, 0);
	/* INIT keeps mode and ID. */
	vlapic_reset(&v, true);
	ck_assert_uint_eq(rdmsr(0x1b), BASE | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	ck_assert_uint_eq(rdmsr(0x80d), 0x00120008);
	ck_assert_uint_eq(rdmsr(0x80f), 0xff);
}
END_TEST

START_TEST(test_icr_xapic)
{
	wr(0x310, 0x05ffffff);
	ck_assert_uint_eq(rd(0x310), 0x05000000);
	wr(0x300, 0x000c4500);          /* INIT, all but self */
	ck_assert_uint_eq(w.ipis, 1);
	ck_assert_uint_eq(w.last_ipi.delivery, APIC_DM_INIT);
	ck_assert_uint_eq(w.last_ipi.shorthand, APIC_DEST_OTHERS);
	ck_assert(w.last_ipi.assert);
	wr(0x300, 0x00008500);          /* INIT level de-assert */
	ck_assert(w.last_ipi.level && !w.last_ipi.assert);
	wr(0x300, 0x00004610);          /* startup at 10000h */
	ck_assert_uint_eq(w.last_ipi.delivery, APIC_DM_STARTUP);
	ck_assert_uint_eq(w.last_ipi.vector, 0x10);
	ck_assert_uint_eq(w.last_ipi.dest, 5);
	ck_assert(!w.last_ipi.x2apic && !w.last_ipi.logical);
	wr(0x300, 0x00005841);          /* logical fixed; delivery status is read-only */
	ck_assert(w.last_ipi.logical);
	ck_assert_uint_eq(w.last_ipi.vector, 0x41);
	ck_assert_uint_eq(rd(0x300), 0x4841);
	ck_assert_uint_eq(w.ipis, 4);
	wr(0x300, 0x00044051);          /* self */
	ck_assert_uint_eq(w.ipis, 4);
	ck_assert_uint_eq(take(0x51), 1);
	wr(0x300, 0x00000300);          /* reserved mode */
	wr(0x300, 0x00000700);          /* ExtINT */
	wr(0x300, 0x00084500);          /* INIT to all including self: undefined */
	wr(0x300, 0x00044400);          /* NMI to self: undefined */
	ck_assert_uint_eq(w.ipis, 4);
	wr(0x300, 0x00084461);          /* NMI to all including self: undefined */
	wr(0x300, 0x00084061);          /* fixed to all including self */
	ck_assert_uint_eq(w.ipis, 5);
	ck_assert_uint_eq(w.last_ipi.shorthand, APIC_DEST_ALL);
}
END_TEST

START_TEST(test_icr_x2apic)
{
	ENTER_X2APIC();
	wrmsr_ok(0x830, 0x12345678000000f3ull);
	ck_assert_uint_eq(w.last_ipi.dest, 0x12345678);
	ck_assert(w.last_ipi.x2apic);
	ck_assert_uint_eq(rdmsr(0x830), 0x12345678000000f3ull);
	wrmsr_gp(0x830, 0x1000);
	wrmsr_gp(0x830, 0x100000);
	ck_assert_uint_eq(w.ipis, 1);
}
END_TEST

static bool match(uint32_t dest, bool logical, bool x2)
{
	const struct apic_msg msg = { .dest = dest, .logical = logical, .x2apic = x2 };

	return vlapic_matches(&v, &msg, NULL);
}

START_TEST(test_destinations_xapic)
{
	ck_assert(match(6, false, false));
	ck_assert(!match(7, false, false));
	ck_assert(match(0xff, false, false));
	ck_assert(match(0xff, true, false));
	ck_assert(!match(0xff, false, true));
	ck_assert(match(0xffffffff, false, true));
	/* flat */
	wr(0xd0, 0x24ffffff);
	ck_assert_uint_eq(rd(0xd0), 0x24000000);
	ck_assert(match(0x04, true, false));
	ck_assert(match(0x20, true, false));
	ck_assert(match(0x2c, true, false));
	ck_assert(!match(0x08, true, false));
	ck_assert(!match(0x00, true, false));
	/* cluster 2, members 2 */
	wr(0xe0, 0);
	ck_assert_uint_eq(rd(0xe0), 0x0fffffff);
	ck_assert(match(0x24, true, false));
	ck_assert(match(0x2f, true, false));
	ck_assert(!match(0x34, true, false));
	ck_assert(!match(0x2b, true, false));
	ck_assert(!match(0x20, true, false));
	/* shorthands */
	struct apic_msg msg = { .shorthand = APIC_DEST_SELF };
	ck_assert(vlapic_matches(&v, &msg, &v));
	ck_assert(!vlapic_matches(&v, &msg, NULL));
	msg.shorthand = APIC_DEST_OTHERS;
	ck_assert(!vlapic_matches(&v, &msg, &v));
	ck_assert(vlapic_matches(&v, &msg, NULL));
	msg.shorthand = APIC_DEST_ALL;
	ck_assert(vlapic_matches(&v, &msg, &v));
	wrmsr_ok(0x1b, BASE);
	ck_assert(!vlapic_matches(&v, &msg, &v));
}
END_TEST

START_TEST(test_destinations_x2apic)
{
	vlapic_init(&v, &host, 0x25, false, true);
	ENTER_X2APIC();
	ck_assert(match(0x25, false, true));
	ck_assert(match(0x25, false, false));
	ck_assert(!match(0x24, false, true));
	ck_assert(match(0xffffffff, false, true));
	ck_assert(match(0xffffffff, true, true));
	ck_assert(!match(0xff, false, true));
	ck_assert(match(0xff, false, false));
	ck_assert(match(0x00020020, true, true));
	ck_assert(match(0x0002ffff, true, true));
	ck_assert(!match(0x0002ffdf, true, true));
	ck_assert(!match(0x00030020, true, true));
}
END_TEST

START_TEST(test_lvt_sources)
{
	wr(0x360, 0x400);
	vlapic_fire_lvt(&v, LVT_LINT1);
	ck_assert_uint_eq(w.ipis, 1);
	ck_assert_uint_eq(w.last_ipi.delivery, APIC_DM_NMI);
	ck_assert_uint_eq(w.last_ipi.shorthand, APIC_DEST_SELF);
	wr(0x360, 0x10400);
	vlapic_fire_lvt(&v, LVT_LINT1);
	ck_assert_uint_eq(w.ipis, 1);
	wr(0x340, 0x55);
	vlapic_fire_lvt(&v, LVT_PERF);
	ck_assert_uint_eq(take(0x55), 1);
	ck_assert_uint_eq(rd(0x340), 0x10055);
	wr(0x2f0, 0xffffffff);
	ck_assert_uint_eq(rd(0x2f0), 0x107ff);
	wr(0x350, 0xfffeffff);
	ck_assert_uint_eq(rd(0x350), 0xa7ff);
	wr(0x370, 0xffffffff);
	ck_assert_uint_eq(rd(0x370), 0x100ff);
	vlapic_fire_lvt(&v, 7);
}
END_TEST

START_TEST(test_timer_one_shot)
{
	wr(0x320, 0x40);
	wr(0x3e0, 0x3);                 /* divide by 16 */
	wr(0x380, 1000);
	ck_assert_uint_eq(w.timer, 1000000 + 16000);
	advance(1600);
	ck_assert_uint_eq(rd(0x390), 900);
	advance(14399);
	ck_assert_uint_eq(rd(0x390), 1);
	ck_assert_uint_eq(take(0x40), 0);
	advance(1);
	ck_assert_uint_eq(rd(0x390), 0);
	ck_assert_uint_eq(take(0x40), 1);
	advance(1000000);
	ck_assert_uint_eq(take(0x40), 0);
	ck_assert_uint_eq(rd(0x380), 1000);
	wr(0x380, 1000);
	wr(0x380, 0);
	ck_assert_uint_eq(w.timer, 0);
	ck_assert_uint_eq(rd(0x390), 0);
}
END_TEST

START_TEST(test_timer_divisors)
{
	static const uint8_t dcr[] = { 0xb, 0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa };

	wr(0x320, 0x40);
	for (unsigned int i = 0; i < 8; i++) {
		wr(0x3e0, dcr[i]);
		wr(0x380, 100000);
		ck_assert_uint_eq(w.timer - w.now, 100000u << i);
	}
	/* A change on the way keeps the count. */
	wr(0x3e0, 0xb);
	wr(0x380, 100000);
	advance(40000);
	wr(0x3e0, 0x0);
	ck_assert_uint_eq(rd(0x390), 60000);
	ck_assert_uint_eq(w.timer - w.now, 120000);
	wr(0x3e0, 0xff);
	ck_assert_uint_eq(rd(0x3e0), 0xb);
}
END_TEST

START_TEST(test_timer_periodic)
{
	const uint64_t start = w.now;

	wr(0x3e0, 0xb);
	wr(0x320, 0x20040);
	wr(0x380, 30000);
	for (unsigned int i = 1; i <= 10; i++) {
		advance(30000);
		ck_assert_uint_eq(take(0x40), 1);
	}
	/* Late service merges rounds and keeps to the grid. */
	w.now += 100000;
	w.timer = 0;
	vlapic_timer_expired(&v);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(w.timer, start + 14 * 30000);
	ck_assert_uint_eq(rd(0x390), 20000);
	/* Early service fires nothing. */
	vlapic_timer_expired(&v);
	ck_assert_uint_eq(take(0x40), 0);
	/* Masked it counts on silently; unmasked it continues. */
	wr(0x320, 0x30040);
	ck_assert_uint_eq(w.timer, 0);
	advance(60000);
	ck_assert_uint_eq(rd(0x390), 20000);
	wr(0x320, 0x20040);
	ck_assert_uint_eq(take(0x40), 0);
	ck_assert_uint_eq(w.timer - w.now, 20000);
	/* To one-shot: the current round is the last. */
	wr(0x320, 0x40);
	advance(20000);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(w.timer, 0);
}
END_TEST

START_TEST(test_timer_policies)
{
	unsigned int taken = 0;

	/* Catching up: one in the request register, the others as each is taken. */
	v.tick.policy = VTICK_CATCHUP;
	wr(0x3e0, 0xb);
	wr(0x320, 0x20040);
	wr(0x380, 30000);
	advance(10 * 30000 + 15000);
	while (take(0x40)) {
		taken++;
	}
	ck_assert_uint_eq(taken, 10);
	ck_assert_uint_eq(rd(0x390), 15000);
	/* Another vector gives none; masked they are forgotten. */
	advance(2 * 30000);
	vlapic_set_irq(&v, 0x51, false);
	ck_assert_uint_eq(take(0x51), 1);
	ck_assert_uint_eq(v.tick.owed, 1);
	wr(0x320, 0x30040);
	ck_assert_uint_eq(v.tick.owed, 0);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(take(0x40), 0);
	/* Delay: the countdown begins anew with the late one. */
	v.tick.policy = VTICK_DELAY;
	wr(0x320, 0x20040);
	wr(0x380, 30000);
	advance(10 * 30000 + 15000);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(take(0x40), 0);
	ck_assert_uint_eq(rd(0x390), 30000);
	advance(29999);
	ck_assert_uint_eq(take(0x40), 0);
	advance(1);
	ck_assert_uint_eq(take(0x40), 1);
	/* Discard: found late, none; the next on the grid. */
	v.tick.policy = VTICK_DISCARD;
	w.now += 5 * 30000 + 15000;
	w.timer = 0;
	vlapic_timer_expired(&v);
	ck_assert_uint_eq(take(0x40), 0);
	advance(15000);
	ck_assert_uint_eq(take(0x40), 1);
}
END_TEST

START_TEST(test_timer_replaced)
{
	/* A countdown that ended unseen fires before the next one begins. */
	wr(0x3e0, 0xb);
	wr(0x320, 0x40);
	wr(0x380, 5000);
	w.now += 5000;
	wr(0x380, 7000);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(rd(0x390), 7000);
}
END_TEST

START_TEST(test_timer_periodic_is_bounded)
{
	wr(0x3e0, 0xb);
	wr(0x320, 0x20040);
	w.timer_sets = 0;
	wr(0x380, 1);
	advance(1000000);
	ck_assert_uint_le(w.timer_sets, 101);
	ck_assert_uint_ge(w.timer_sets, 90);
}
END_TEST

START_TEST(test_timer_one_shot_masked_end)
{
	wr(0x3e0, 0xb);
	wr(0x320, 0x10040);
	wr(0x380, 5000);
	advance(10000);
	wr(0x320, 0x40);
	ck_assert_uint_eq(w.timer, 0);
	ck_assert_uint_eq(take(0x40), 0);
	wr(0x320, 0x20040);
	ck_assert_uint_eq(w.timer, 0);
}
END_TEST

START_TEST(test_timer_tsc_deadline)
{
	wrmsr_ok(0x6e0, 3100000);
	ck_assert_uint_eq(rdmsr(0x6e0), 0);             /* not in that mode */
	wr(0x320, 0x40040);
	wr(0x380, 7);
	ck_assert_uint_eq(rd(0x380), 0);
	wrmsr_ok(0x6e0, 3600000);
	ck_assert_uint_eq(rdmsr(0x6e0), 3600000);
	ck_assert_uint_eq(w.timer, 1200000);
	ck_assert_uint_eq(rd(0x390), 0);
	advance(200000);
	ck_assert_uint_eq(rdmsr(0x6e0), 0);
	ck_assert_uint_eq(take(0x40), 1);
	/* In the past: at once. Rounded early: again. */
	wrmsr_ok(0x6e0, 1);
	ck_assert_uint_eq(take(0x40), 1);
	ck_assert_uint_eq(w.timer, 0);
	wrmsr_ok(0x6e0, 3600000 + 302);
	ck_assert_uint_eq(w.timer, 1200100);
	advance(100);
	ck_assert_uint_eq(take(0x40), 0);
	advance(1);
	ck_assert_uint_eq(take(0x40), 1);
	/* 0 disarms, and so does leaving the mode. */
	wrmsr_ok(0x6e0, 9000000);
	wrmsr_ok(0x6e0, 0);
	ck_assert_uint_eq(w.timer, 0);
	wrmsr_ok(0x6e0, 9000000);
	wr(0x320, 0x40);
	ck_assert_uint_eq(w.timer, 0);
	ck_assert_uint_eq(rdmsr(0x6e0), 0);
}
END_TEST

START_TEST(test_access_sizes)
{
	struct io_access a = { .size = 1, .addr = BASE + 0x32 };

	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_DONE);
	ck_assert_uint_eq(a.data, 0x06);
	a = (struct io_access){ .size = 8, .addr = BASE + 0x30 };
	vlapic_mmio(&v, &a);
	ck_assert_uint_eq(a.data, 0x60014);
	a = (struct io_access){ .size = 4, .addr = BASE + 0x34, .data = 5 };
	vlapic_mmio(&v, &a);
	ck_assert_uint_eq(a.data, 0);
	a = (struct io_access){ .size = 2, .addr = BASE + 0x80, .write = true, .data = 0x20 };
	vlapic_mmio(&v, &a);
	ck_assert_uint_eq(rd(0x80), 0);
	wr(0x20, 0x09000000);           /* the ID is read-only */
	ck_assert_uint_eq(rd(0x20), 0x06000000);
	a = (struct io_access){ .size = 4, .addr = BASE + 0x1000 };
	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_UNCLAIMED);
}
END_TEST

START_TEST(test_random_accesses)
{
	struct rnd r = { 0x1234567 };

	for (unsigned int i = 0; i < 200000; i++) {
		struct io_access a = { .space = IO_MMIO, .write = rnd_below(&r, 2),
				       .size = rnd_size(&r),
				       .addr = (v.base & ~0xfffull) + rnd_below(&r, 0x1010),
				       .data = rnd_next(&r) };
		uint64_t value;

		switch (rnd_below(&r, 8)) {
		case 0:
			vlapic_msr_read(&v, 0x7f0 + rnd_below(&r, 0x60), &value);
			break;
		case 1:
			vlapic_msr_write(&v, 0x7f0 + rnd_below(&r, 0x60),
					 rnd_next(&r) >> rnd_below(&r, 64));
			break;
		case 2:
			vlapic_msr_write(&v, 0x6e0, rnd_next(&r) >> rnd_below(&r, 64));
			break;
		case 3:
			vlapic_set_irq(&v, rnd_next(&r), rnd_below(&r, 2));
			break;
		case 4:
			w.now += rnd_below(&r, 1u << rnd_below(&r, 30));
			vlapic_timer_expired(&v);
			break;
		case 5:
			if (rnd_below(&r, 64) == 0) {
				vlapic_msr_write(&v, 0x1b, rnd_next(&r) & 0xfffffd00);
			}
			break;
		default:
			vlapic_mmio(&v, &a);
			break;
		}
		int vector = vlapic_pending(&v);
		ck_assert_int_ge(vector, -1);
		if (vector >= 0) {
			ck_assert_int_ge(vector, 16);
			vlapic_ack(&v, vector);
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_reset_values, test_irr_isr_tmr_registers, test_priorities,
		test_software_disable, test_errors, test_apic_base_transitions,
		test_x2apic_registers, test_icr_xapic, test_icr_x2apic, test_destinations_xapic,
		test_destinations_x2apic, test_lvt_sources, test_timer_one_shot,
		test_timer_divisors, test_timer_periodic, test_timer_periodic_is_bounded,
		test_timer_policies, test_timer_replaced,
		test_timer_one_shot_masked_end, test_timer_tsc_deadline, test_access_sizes,
		test_random_accesses, NULL
	};

	return suite_run("vlapic", setup, tests);
}
