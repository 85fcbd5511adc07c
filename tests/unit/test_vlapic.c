/*
 * vlapic*.c: values and rules of the Intel SDM's APIC chapter: priorities, both register views,
 * IA32_APIC_BASE transitions, ICR and destinations, errors.
 */
#include "fake/rnd.h"
#include "fake/vlapic_world.h"

START_TEST(test_reset_values)
{
	vlapic_init(&v, &host, 6, true, true);
	ck_assert_uint_eq(rdmsr(0x1b), 0xfee00900);
	ck_assert_uint_eq(rd(0x20), 0x06000000);
	ck_assert_uint_eq(rd(0x30), 0x01060014);
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

/* What a processor that delivers by itself gets, what it may have done with it, what is seen meanwhile. */
START_TEST(test_run)
{
	struct vlapic_run r;

	vlapic_set_irq(&v, 0x31, false);
	vlapic_set_irq(&v, 0xc5, true);
	vlapic_ack(&v, 0xc5);
	vlapic_set_irq(&v, 0x80, true);
	wr(0x80, 0x27);
	vlapic_run_lend(&v, &r);
	ck_assert(r.irr[0] == 1ull << 0x31 && r.irr[1] == 0 && r.irr[2] == 1 && r.irr[3] == 0);
	ck_assert(r.isr[3] == 1ull << 5 && r.isr[0] == 0);
	ck_assert(r.level[3] == 1ull << 5 && r.level[2] == 1 && r.level[0] == 0);
	ck_assert_uint_eq(r.tpr, 0x27);
	/* lent is waiting, and what comes now is new */
	ck_assert(vlapic_waiting(&v, 0x31) && vlapic_waiting(&v, 0x80));
	ck_assert(vlapic_set_irq(&v, 0x31, false) && !vlapic_set_irq(&v, 0x31, false));
	/* the guest ends C5h, takes 80h and lowers its priority: the run ends with the first of these */
	r.isr[3] = 0;
	r.isr[2] = 1;
	r.irr[2] = 0;
	r.tpr = 0x13;
	ck_assert(vlapic_run_back(&v, &r, 0xc5));
	ck_assert(w.eois == 1 && w.last_eoi == 0xc5);
	ck_assert(rd(0x140) == 1 && rd(0x160) == 0 && rd(0x170) == 0 && rd(0x80) == 0x13);
	ck_assert(rd(0x210) == 1u << 17 && rd(0x240) == 0);
	ck_assert(!vlapic_waiting(&v, 0x80));
	/* nothing happened; suppressed EOIs end no run */
	wr(0xf0, 0x11ff);
	vlapic_run_lend(&v, &r);
	ck_assert(r.level[2] == 0);
	ck_assert(!vlapic_run_back(&v, &r, -1));
	ck_assert(rd(0x210) == 1u << 17 && rd(0x140) == 1 && w.eois == 1);
	/* switched off: it keeps what it has */
	wr(0xf0, 0xff);
	vlapic_run_lend(&v, &r);
	ck_assert(r.irr[0] == 0 && r.isr[2] == 1);
	ck_assert(!vlapic_run_back(&v, &r, -1));
	ck_assert(rd(0x210) == 1u << 17);
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

START_TEST(test_eoi_broadcast)
{
	/* A level-triggered vector's EOI is told to the I/O APICs, an edge's is not. */
	vlapic_set_irq(&v, 0x50, false);
	ck_assert_uint_eq(take(0x50), 1);
	ck_assert_uint_eq(w.eois, 0);
	vlapic_set_irq(&v, 0x51, true);
	ck_assert_uint_eq(take(0x51), 1);
	ck_assert_uint_eq(w.eois, 1);
	ck_assert_uint_eq(w.last_eoi, 0x51);
	/* Unless SVR bit 12 says no: software writes the I/O APIC's EOI register then. */
	wr(0xf0, 0x11ff);
	ck_assert_uint_eq(rd(0xf0), 0x11ff);
	vlapic_set_irq(&v, 0x51, true);
	ck_assert_uint_eq(take(0x51), 1);
	ck_assert_uint_eq(w.eois, 1);
	ck_assert_uint_eq(rd(0x120), 0);
	ENTER_X2APIC();
	wrmsr_ok(0x80f, 0x1ff);
	wrmsr_ok(0x80f, 0x11ff);
	wrmsr_gp(0x80f, 0x21ff);
	/* Where the I/O APICs are the machine's own it is not offered. */
	vlapic_init(&v, &host, 6, true, false);
	ck_assert_uint_eq(rd(0x30), 0x00060014);
	wr(0xf0, 0x11ff);
	ck_assert_uint_eq(rd(0xf0), 0x1ff);
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
	ck_assert_uint_eq(a.data, 0x01060014);
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
	wrmsr_gp(0x80f, 0x2000);
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

START_TEST(test_access_sizes)
{
	struct io_access a = { .size = 1, .addr = BASE + 0x32 };

	ck_assert_int_eq(vlapic_mmio(&v, &a), IO_DONE);
	ck_assert_uint_eq(a.data, 0x06);
	a = (struct io_access){ .size = 8, .addr = BASE + 0x30 };
	vlapic_mmio(&v, &a);
	ck_assert_uint_eq(a.data, 0x01060014);
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
		if (rnd_below(&r, 50) == 0) {
			v.tick.policy = rnd_below(&r, VTICK_POLICIES);
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
		test_software_disable, test_eoi_broadcast, test_errors, test_apic_base_transitions,
		test_run, test_x2apic_registers, test_icr_xapic, test_icr_x2apic, test_destinations_xapic,
		test_destinations_x2apic, test_lvt_sources, test_access_sizes,
		test_random_accesses, NULL
	};

	return suite_run("vlapic", setup, tests);
}
