/* vrtc.c against the MC146818 data sheet: formats, calendar, update cycle, alarm, flags, rates. */
#include <string.h>
#include "dev/vrtc.h"
#include "fake/fake_vdev_host.h"
#include "fake/io.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define SECOND 1000000000ull
#define Y2000  946684800ll      /* Saturday 2000-01-01 00:00:00 */

static struct vrtc v;
static struct fake_world w;

static enum io_result io(void *dev, struct io_access *a)
{
	return vrtc_io(dev, a);
}

static void timer(void *dev, unsigned int id)
{
	vrtc_timer(dev, id);
}

static unsigned int rd(unsigned int i)
{
	io_write(io, &v, 0x70, 1, i);
	return io_read(io, &v, 0x71, 1);
}

static void wr(unsigned int i, uint8_t value)
{
	io_write(io, &v, 0x70, 1, i);
	io_write(io, &v, 0x71, 1, value);
}

static void setup(void)
{
	fake_world_init(&w, 5 * SECOND, timer, &v);
	vrtc_init(&v, &w.host);
	v.tick.policy = VTICK_MERGE;
	vrtc_set_time(&v, Y2000 - 5, 0);
}

/* Set the clock through its registers. */
static void set_clock(const uint8_t t[7])
{
	static const uint8_t regs[7] = { 0, 2, 4, 6, 7, 8, 9 };

	wr(0x0b, rd(0x0b) | 0x80);
	for (unsigned int i = 0; i < 7; i++) {
		wr(regs[i], t[i]);
	}
	wr(0x0b, rd(0x0b) & 0x7f);
}

static void expect_clock(const uint8_t t[7])
{
	static const uint8_t regs[7] = { 0, 2, 4, 6, 7, 8, 9 };

	for (unsigned int i = 0; i < 7; i++) {
		ck_assert_uint_eq(rd(regs[i]), t[i]);
	}
}

START_TEST(test_initial)
{
	ck_assert_uint_eq(rd(0x0a), 0x26);
	ck_assert_uint_eq(rd(0x0b), 0x02);
	ck_assert_uint_eq(rd(0x0d), 0x80);
	expect_clock((const uint8_t[7]){ 0x00, 0x00, 0x00, 7, 0x01, 0x01, 0x00 });
	fake_run(&w, SECOND - 1);
	ck_assert_uint_eq(rd(0), 0x00);
	fake_run(&w, 1);
	ck_assert_uint_eq(rd(0), 0x01);
	ck_assert_int_eq(vrtc_get_time(&v), Y2000 + 1);
	/* The second changes when the wall clock's does. */
	vrtc_set_time(&v, Y2000 - 6, 300000000);
	ck_assert_int_eq(vrtc_get_time(&v), Y2000);
	fake_run(&w, 700000000 - 1);
	ck_assert_int_eq(vrtc_get_time(&v), Y2000);
	fake_run(&w, 1);
	ck_assert_int_eq(vrtc_get_time(&v), Y2000 + 1);
}
END_TEST

START_TEST(test_roll_over)
{
	static const struct {
		uint8_t before[7], after[7];
	} rows[] = {
		/* sec, min, hour, weekday, day, month, year */
		{ { 0x59, 0x59, 0x23, 6, 0x31, 0x12, 0x99 }, { 0, 0, 0, 7, 0x01, 0x01, 0x00 } },
		{ { 0x59, 0x59, 0x23, 2, 0x28, 0x02, 0x00 }, { 0, 0, 0, 3, 0x29, 0x02, 0x00 } },
		{ { 0x59, 0x59, 0x23, 3, 0x29, 0x02, 0x00 }, { 0, 0, 0, 4, 0x01, 0x03, 0x00 } },
		{ { 0x59, 0x59, 0x23, 4, 0x28, 0x02, 0x23 }, { 0, 0, 0, 5, 0x01, 0x03, 0x23 } },
		{ { 0x59, 0x59, 0x23, 4, 0x28, 0x02, 0x24 }, { 0, 0, 0, 5, 0x29, 0x02, 0x24 } },
		{ { 0x59, 0x59, 0x23, 7, 0x30, 0x04, 0x22 }, { 0, 0, 0, 1, 0x01, 0x05, 0x22 } },
		{ { 0x59, 0x09, 0x09, 1, 0x09, 0x09, 0x09 }, { 0, 0x10, 0x09, 1, 9, 9, 9 } },
		{ { 0x59, 0x59, 0x23, 1, 0x31, 0x12, 0x69 }, { 0, 0, 0, 2, 0x01, 0x01, 0x70 } },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_clock(rows[i].before);
		expect_clock(rows[i].before);
		fake_run(&w, SECOND);
		expect_clock(rows[i].after);
	}
	/* A whole century day by day: only dates that exist, each followed by the next. */
	set_clock((const uint8_t[7]){ 0, 0, 0, 5, 0x01, 0x01, 0x70 });
	wr(0x0b, 0x06);
	for (unsigned int day = 0; day < 36524; day++) {
		unsigned int d = rd(7), m = rd(8), y = rd(9), wd = rd(6);
		fake_run(&w, 86400 * SECOND);
		ck_assert(rd(7) == d + 1 || (rd(7) == 1 && rd(8) == m % 12 + 1 && d >= 28));
		ck_assert(rd(9) == y || (rd(9) == (y + 1) % 100 && m == 12 && d == 31));
		ck_assert_uint_eq(rd(6), wd % 7 + 1);
	}
	ck_assert_uint_eq(rd(7), 31);
	ck_assert_uint_eq(rd(8), 12);
	ck_assert_uint_eq(rd(9), 69);
}
END_TEST

/* What software does to the clock is counted, whichever way it does it; what passes by itself is not. */
START_TEST(test_moved)
{
	ck_assert_int_eq(vrtc_moved(&v), 0);
	fake_run(&w, 100 * SECOND);
	ck_assert_int_eq(vrtc_moved(&v), 0);
	/* stopped for a while, then an hour later than it would be */
	wr(0x0b, rd(0x0b) | 0x80);
	fake_run(&w, 30 * SECOND);
	ck_assert_int_eq(vrtc_moved(&v), 0);
	wr(0x04, 0x01);
	wr(0x0b, rd(0x0b) & 0x7f);
	ck_assert_int_eq(vrtc_moved(&v), 3600 - 30);
	fake_run(&w, 1000 * SECOND);
	ck_assert_int_eq(vrtc_moved(&v), 3600 - 30);
	/* a field of the running clock, back and forth */
	wr(0x04, 0x00);
	ck_assert_int_eq(vrtc_moved(&v), -30);
	wr(0x09, 0x33);
	ck_assert_int_eq(vrtc_moved(&v), 12054ll * 86400 - 30);
	wr(0x09, 0x00);
	ck_assert_int_eq(vrtc_moved(&v), -30);
	/* neither the alarm nor a reset is a change; who starts the guest begins anew */
	wr(0x05, 0x11);
	vrtc_reset(&v);
	ck_assert_int_eq(vrtc_moved(&v), -30);
	vrtc_set_time(&v, Y2000, 0);
	ck_assert_int_eq(vrtc_moved(&v), 0);
}
END_TEST

START_TEST(test_formats)
{
	static const struct { uint8_t hour, bcd24, bin24, bcd12, bin12; } rows[] = {
		{ 0, 0x00, 0, 0x12, 12 }, { 1, 0x01, 1, 0x01, 1 }, { 11, 0x11, 11, 0x11, 11 },
		{ 12, 0x12, 12, 0x92, 0x8c }, { 13, 0x13, 13, 0x81, 0x81 },
		{ 23, 0x23, 23, 0x91, 0x8b },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wr(0x0b, 0x02);
		set_clock((const uint8_t[7]){ 0x45, 0x30, rows[i].bcd24, 7, 0x10, 0x11, 0x12 });
		ck_assert_uint_eq(rd(4), rows[i].bcd24);
		wr(0x0b, 0x06);
		ck_assert_uint_eq(rd(4), rows[i].bin24);
		ck_assert_uint_eq(rd(2), 30);
		ck_assert_uint_eq(rd(7), 10);
		wr(0x0b, 0x00);
		ck_assert_uint_eq(rd(4), rows[i].bcd12);
		wr(0x0b, 0x04);
		ck_assert_uint_eq(rd(4), rows[i].bin12);
		/* and back in through the 12-hour registers */
		set_clock((const uint8_t[7]){ 45, 30, rows[i].bin12, 7, 10, 11, 12 });
		wr(0x0b, 0x02);
		ck_assert_uint_eq(rd(4), rows[i].bcd24);
		ck_assert_uint_eq(rd(0), 0x45);
	}
}
END_TEST

START_TEST(test_set_and_uip)
{
	/* UIP in the last 2228 us of each second. */
	fake_run(&w, SECOND - 2228001);
	ck_assert_uint_eq(rd(0x0a) & 0x80, 0);
	fake_run(&w, 1);
	ck_assert_uint_eq(rd(0x0a) & 0x80, 0x80);
	fake_run(&w, 2227999);
	ck_assert_uint_eq(rd(0x0a) & 0x80, 0x80);
	ck_assert_uint_eq(rd(0), 0x00);
	fake_run(&w, 1);
	ck_assert_uint_eq(rd(0x0a), 0x26);
	ck_assert_uint_eq(rd(0), 0x01);
	/* SET stops the time and UIP, and clears the update-ended enable. */
	wr(0x0b, 0x92);
	ck_assert_uint_eq(rd(0x0b), 0x82);
	fake_run(&w, 10 * SECOND - 1);
	ck_assert_uint_eq(rd(0x0a), 0x26);
	ck_assert_uint_eq(rd(0), 0x01);
	wr(0x0b, 0x02);
	ck_assert_uint_eq(rd(0), 0x01);
	fake_run(&w, 1);                        /* the second's phase was kept */
	ck_assert_uint_eq(rd(0), 0x02);
	/* Divider held in reset; the first update comes half a second after its release. */
	wr(0x0a, 0x76);
	fake_run(&w, 3 * SECOND + 1);
	ck_assert_uint_eq(rd(0), 0x02);
	wr(0x0a, 0x26);
	fake_run(&w, SECOND / 2 - 1);
	ck_assert_uint_eq(rd(0), 0x02);
	fake_run(&w, 1);
	ck_assert_uint_eq(rd(0), 0x03);
	/* One field changed while running. */
	wr(2, 0x30);
	ck_assert_uint_eq(rd(2), 0x30);
	ck_assert_uint_eq(rd(0), 0x03);
	wr(6, 3);
	ck_assert_uint_eq(rd(6), 3);
	fake_run(&w, 86400 * SECOND);
	ck_assert_uint_eq(rd(6), 4);
}
END_TEST

START_TEST(test_periodic_rates)
{
	static const uint16_t hz[16] = { 0, 256, 128, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32,
					 16, 8, 4, 2 };

	wr(0x0b, 0x42);
	for (unsigned int rate = 0; rate < 16; rate++) {
		wr(0x0a, 0x20 | rate);
		fake_run_to(&w, (w.now / SECOND + 1) * SECOND);
		rd(0x0c);
		w.rises[8] = 0;
		fake_run(&w, 2 * SECOND);
		ck_assert_uint_eq(w.rises[8], 2 * hz[rate]);
		unsigned int flags = rd(0x0c);
		ck_assert_uint_eq(flags & 0xc0, rate == 0 ? 0 : 0xc0);
	}
}
END_TEST

/* 1024 Hz, the first tick of a second just raised and read. */
static uint64_t start_ticks(enum vtick_policy policy)
{
	v.tick.policy = policy;
	wr(0x0a, 0x20);
	wr(0x0a, 0x26);
	wr(0x0b, 0x42);
	fake_run_to(&w, (w.now / SECOND + 2) * SECOND);
	rd(0x0c);
	w.rises[8] = 0;
	return w.now;
}

#define TICK_AT(start, eighths) ((start) + (eighths) * (SECOND / 1024) / 8)

START_TEST(test_policy_catchup)
{
	uint64_t start = start_ticks(VTICK_CATCHUP);

	w.waiting[8] = true;
	fake_run_to(&w, TICK_AT(start, 84));
	ck_assert_uint_eq(w.rises[8], 0);
	w.waiting[8] = false;
	for (unsigned int i = 1; i <= 10; i++) {
		ck_assert_uint_eq(rd(0x0c), 0xc0);
		ck_assert(!w.level[8]);
		vrtc_taken(&v);
		ck_assert_uint_eq(w.rises[8], i);
	}
	rd(0x0c);
	vrtc_taken(&v);
	ck_assert_uint_eq(w.rises[8], 10);
	fake_run_to(&w, start + SECOND);
	ck_assert_uint_eq(w.rises[8], 1024);
	/* At another rate the time that is owed stays: ten of 1024 Hz are five of 512 Hz. */
	w.waiting[8] = true;
	w.now += 10 * SECOND / 1024;
	vrtc_timer(&v, VRTC_TIMER_PERIODIC);
	ck_assert_uint_eq(v.tick.owed, 10);
	wr(0x0a, 0x27);
	ck_assert_uint_eq(v.tick.owed, 5);
	wr(0x0a, 0x20);
	ck_assert_uint_eq(v.tick.owed, 0);
	w.waiting[8] = false;
	start = start_ticks(VTICK_CATCHUP);
	w.rises[8] = 1024;
	/* The flag of a tick whose edge still waits stays for its handler, but for one read only. */
	fake_run(&w, SECOND / 1000);
	ck_assert_uint_eq(w.rises[8], 1025);
	w.waiting[8] = true;
	ck_assert_uint_eq(rd(0x0c), 0xc0);
	ck_assert_uint_eq(rd(0x0c), 0xc0);
	ck_assert_uint_eq(rd(0x0c), 0x00);
	w.waiting[8] = false;
	/* One that falls due with the read of the flags is not lost. */
	w.rises[8] = 1024;
	rd(0x0c);
	w.now += SECOND / 1000;
	ck_assert_uint_eq(rd(0x0c), 0xc0);
	ck_assert_uint_eq(w.rises[8], 1025);
	ck_assert_uint_eq(rd(0x0c), 0xc0);
	ck_assert_uint_eq(rd(0x0c), 0x00);
}
END_TEST

START_TEST(test_policy_delay_and_discard)
{
	uint64_t start = start_ticks(VTICK_DELAY);

	w.waiting[8] = true;
	fake_run_to(&w, TICK_AT(start, 84));
	w.waiting[8] = false;
	vrtc_taken(&v);
	ck_assert_uint_eq(w.rises[8], 0);
	fake_run_to(&w, TICK_AT(start, 92) - SECOND / 32768);
	ck_assert_uint_eq(w.rises[8], 0);
	fake_run_to(&w, TICK_AT(start, 92));
	ck_assert_uint_eq(w.rises[8], 1);
	fake_run_to(&w, TICK_AT(start, 92) + SECOND);
	ck_assert_uint_eq(w.rises[8], 1025);

	start = start_ticks(VTICK_DISCARD);
	w.now = TICK_AT(start, 84);
	fake_run(&w, 0);
	ck_assert_uint_eq(w.rises[8], 0);
	fake_run_to(&w, TICK_AT(start, 89));
	ck_assert_uint_eq(w.rises[8], 1);
}
END_TEST

START_TEST(test_register_c)
{
	/* The flags set without their enables; IRQF does not. */
	rd(0x0c);
	fake_run(&w, SECOND);
	ck_assert_uint_eq(rd(0x0c), 0x50);
	ck_assert_uint_eq(rd(0x0c), 0x00);
	ck_assert_uint_eq(w.rises[8], 0);
	/* A flag already there interrupts when it is enabled. */
	fake_run(&w, SECOND);
	wr(0x0b, 0x12);
	ck_assert_uint_eq(w.rises[8], 1);
	ck_assert(w.level[8]);
	ck_assert_uint_eq(rd(0x0c), 0xd0);
	ck_assert(!w.level[8]);
	/* Update-ended: once a second, at its boundary, unread C or not. */
	fake_run_to(&w, 20 * SECOND - 1);
	w.rises[8] = 0;
	fake_run(&w, 1);
	ck_assert_uint_eq(w.rises[8], 1);
	fake_run(&w, 10 * SECOND);
	ck_assert_uint_eq(w.rises[8], 11);
	/* Disabling lowers the wire and IRQF, the flag stays. */
	wr(0x0b, 0x02);
	ck_assert(!w.level[8]);
	ck_assert_uint_eq(rd(0x0c) & 0x90, 0x10);
	fake_run(&w, 5 * SECOND);
	ck_assert_uint_eq(w.rises[8], 11);
	wr(0x0c, 0xff);
	wr(0x0d, 0x00);
	ck_assert_uint_eq(rd(0x0d), 0x80);
}
END_TEST

/* Seconds until the alarm interrupts, at most two days; -1 when it does not. */
static int alarm_after(const uint8_t clock[7], uint8_t h, uint8_t m, uint8_t s)
{
	uint64_t start;

	wr(0x0b, 0x02);
	wr(1, s);
	wr(3, m);
	wr(5, h);
	set_clock(clock);
	rd(0x0c);
	wr(0x0b, 0x22);
	w.rises[8] = 0;
	start = w.now;
	fake_run(&w, 2 * 86400 * SECOND);
	if (w.rises[8] == 0) {
		return -1;
	}
	ck_assert_uint_eq(rd(0x0c) & 0xa0, 0xa0);
	/* The first of them: run again from the same clock. */
	set_clock(clock);
	rd(0x0c);
	start = w.now;
	w.rises[8] = 0;
	while (w.rises[8] == 0) {
		fake_run_to(&w, w.deadline[VRTC_TIMER_UPDATE]);
	}
	return (w.now - start + SECOND / 2) / SECOND;
}

START_TEST(test_alarm)
{
	static const uint8_t clock[7] = { 0x30, 0x15, 0x10, 7, 0x01, 0x01, 0x00 };

	ck_assert_int_eq(alarm_after(clock, 0x10, 0x15, 0x31), 1);
	ck_assert_int_eq(alarm_after(clock, 0x10, 0x15, 0x30), 86400);
	ck_assert_int_eq(alarm_after(clock, 0x10, 0x16, 0x00), 30);
	ck_assert_int_eq(alarm_after(clock, 0x09, 0x15, 0x30), 82800);
	ck_assert_int_eq(alarm_after(clock, 0xff, 0xff, 0xff), 1);
	ck_assert_int_eq(alarm_after(clock, 0xc0, 0xc0, 0x30), 60);
	ck_assert_int_eq(alarm_after(clock, 0xff, 0x15, 0x30), 3600);
	ck_assert_int_eq(alarm_after(clock, 0xff, 0x16, 0x29), 59);
	ck_assert_int_eq(alarm_after(clock, 0x11, 0xff, 0xff), 2670);
	ck_assert_int_eq(alarm_after(clock, 0xff, 0xff, 0x7a), -1);
	ck_assert_int_eq(alarm_after(clock, 0xff, 0x7a, 0xff), -1);
	ck_assert_int_eq(alarm_after(clock, 0x24, 0x00, 0x00), -1);
	/* The flag comes without the enable. */
	wr(0x0b, 0x02);
	wr(1, 0xff);
	wr(3, 0xff);
	wr(5, 0xff);
	rd(0x0c);
	fake_run(&w, SECOND);
	ck_assert_uint_eq(rd(0x0c) & 0xa0, 0x20);
	/* 12-hour clock: 81h is one in the afternoon. */
	wr(0x0b, 0x00);
	wr(1, 0x00);
	wr(3, 0x00);
	wr(5, 0x81);
	set_clock((const uint8_t[7]){ 0x59, 0x59, 0x92, 7, 0x01, 0x01, 0x00 });
	rd(0x0c);
	fake_run(&w, SECOND);
	ck_assert_uint_eq(rd(0x0c) & 0x20, 0x20);
	ck_assert_uint_eq(rd(4), 0x81);
}
END_TEST

START_TEST(test_century)
{
	/* 1999 becomes 2000, in BCD and in binary. */
	ck_assert_uint_eq(rd(0x32), 0x20);
	fake_run_to(&w, 4 * SECOND);
	vrtc_set_time(&v, Y2000 - 5, 0);
	ck_assert_uint_eq(rd(0x32), 0x19);
	ck_assert_uint_eq(rd(9), 0x99);
	fake_run(&w, SECOND);
	ck_assert_uint_eq(rd(0x32), 0x20);
	ck_assert_uint_eq(rd(9), 0x00);
	wr(0x0b, 0x06);
	ck_assert_uint_eq(rd(0x32), 20);
	wr(0x0b, 0x02);
	/* Year and century are written in any order, running or stopped. */
	wr(0x32, 0x19);
	wr(9, 0x85);
	ck_assert_uint_eq(rd(0x32), 0x19);
	ck_assert_uint_eq(rd(9), 0x85);
	wr(9, 0x26);
	wr(0x32, 0x20);
	ck_assert_uint_eq(rd(0x32), 0x20);
	ck_assert_uint_eq(rd(9), 0x26);
	set_clock((const uint8_t[7]){ 0x59, 0x59, 0x23, 5, 0x31, 0x12, 0x99 });
	ck_assert_uint_eq(rd(0x32), 0x20);
	fake_run(&w, SECOND);
	ck_assert_uint_eq(rd(0x32), 0x21);
	ck_assert_uint_eq(rd(9), 0x00);
	/* The times that the ABI can set. */
	vrtc_set_time(&v, 3155760000, 0);
	ck_assert_uint_eq(rd(0x32), 0x20);
	ck_assert_uint_eq(rd(9), 0x70);
	vrtc_set_time(&v, 4102444800, 0);               /* 2100 */
	ck_assert_uint_eq(rd(0x32), 0x21);
	ck_assert_uint_eq(rd(9), 0x00);
}
END_TEST

START_TEST(test_index)
{
	ck_assert_int_eq(io_result(io, &v, true, 0x70, 1, 0x0e), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, false, 0x71, 1, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, true, 0x71, 1, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, true, 0x70, 2, 0x5538), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, true, 0x70, 1, 0x8d), IO_DONE);     /* NMI bit */
	ck_assert_uint_eq(io_read(io, &v, 0x71, 1), 0x80);
	ck_assert_uint_eq(io_read(io, &v, 0x70, 1), 0xff);
	io_write(io, &v, 0x70, 2, 0x1201);
	ck_assert_uint_eq(rd(1), 0x12);
	ck_assert_uint_eq(io_read(io, &v, 0x71, 2), 0xff12);
	ck_assert_int_eq(io_result(io, &v, false, 0x72, 1, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, true, 0x70, 1, 0x31), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, true, 0x70, 1, 0x32), IO_DONE);
}
END_TEST

START_TEST(test_reset)
{
	wr(0x0b, 0x72 | 0x08);
	wr(5, 0x11);
	fake_run(&w, SECOND);
	vrtc_reset(&v);
	ck_assert_uint_eq(rd(0x0b), 0x02);
	ck_assert_uint_eq(rd(0x0c) & 0x80, 0);
	ck_assert_uint_eq(rd(5), 0x11);
	ck_assert_uint_eq(rd(0), 0x01);
	ck_assert_uint_eq(w.deadline[0], 0);
	ck_assert_uint_eq(w.deadline[1], 0);
	vrtc_set_time(&v, INT64_MAX, 999999999);
	rd(9);
	vrtc_set_time(&v, -5, 0);
	ck_assert_uint_eq(rd(9), 0x70);
}
END_TEST

START_TEST(test_random_accesses)
{
	struct rnd r = { 1461 };

	for (unsigned int i = 0; i < 200000; i++) {
		io_result(io, &v, true, 0x70, 1, rnd_below(&r, 16));
		io_result(io, &v, rnd_below(&r, 2), 0x6f + rnd_below(&r, 4), rnd_size(&r),
			  rnd_next(&r));
		if (rnd_below(&r, 4) == 0) {
			fake_run(&w, rnd_below(&r, 1ull << rnd_below(&r, 27)));
		}
		if (rnd_below(&r, 100) == 0) {
			w.now += rnd_below(&r, 1ull << 46);
		}
		if (rnd_below(&r, 50) == 0) {
			v.tick.policy = rnd_below(&r, VTICK_POLICIES);
		}
		w.waiting[8] = rnd_below(&r, 2);
		vrtc_taken(&v);
		ck_assert_int_ge(vrtc_get_time(&v), 0);
		ck_assert(v.lag < 16384);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_initial, test_roll_over, test_moved, test_formats, test_set_and_uip, test_periodic_rates,
		test_policy_catchup, test_policy_delay_and_discard,
		test_register_c, test_alarm, test_century, test_index, test_reset, test_random_accesses, NULL
	};

	return suite_run("vrtc", setup, tests);
}
