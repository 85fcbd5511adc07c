/*
 * vpit.c against the 8254 data sheet: the waveform of each mode, gate rules, latches, read-back,
 * BCD, and the interrupt of channel 0 without drift.
 */
#include <string.h>
#include "dev/vpit.h"
#include "fake/fake_vdev_host.h"
#include "fake/io.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct vpit p;
static struct fake_world w;

static enum io_result io(void *dev, struct io_access *a)
{
	return vpit_io(dev, a);
}

static void timer(void *dev, unsigned int id)
{
	vpit_timer(dev, id);
}

#define out(port, value) io_write(io, &p, (port), 1, (value))
#define in(port) io_read(io, &p, (port), 1)

/* The nanosecond at which tick n of the input clock happens, and n itself: the test's clock. */
static uint64_t tick;

static void to_tick(uint64_t n)
{
	tick = n;
	fake_run_to(&w, ((unsigned __int128)n * 1000000000 + VPIT_HZ - 1) / VPIT_HZ);
}

static void setup(void)
{
	fake_world_init(&w, 0, timer, &p);
	vpit_init(&p, &w.host);
	p.tick.policy = VTICK_MERGE;
	to_tick(1000000);
}

static bool out2(void)
{
	return in(0x61) >> 5 & 1;
}

/* Latch and read 16 bits of a channel. */
static unsigned int count(unsigned int channel)
{
	unsigned int low;

	out(0x43, channel << 6);
	low = in(0x40 + channel);
	return low | in(0x40 + channel) << 8;
}

/* Status of a channel by read-back. */
static unsigned int status(unsigned int channel)
{
	out(0x43, 0xe0 | 2 << channel);
	return in(0x40 + channel);
}

/* Program channel 2 (gate as it is) with a 16-bit count in a mode. */
static void program2(unsigned int mode, unsigned int n)
{
	out(0x43, 0xb0 | mode << 1);
	out(0x42, n & 0xff);
	out(0x42, n >> 8);
}

/* Output of channel 2 at the n ticks after now as a string of 0 and 1. */
static void wave(char *text, unsigned int n)
{
	uint64_t start = tick;

	for (unsigned int i = 0; i < n; i++) {
		to_tick(start + 1 + i);
		text[i] = '0' + out2();
	}
	text[n] = 0;
}

START_TEST(test_waveforms)
{
	static const struct {
		unsigned int mode, n;
		const char *wave;       /* from the first tick after the write */
	} rows[] = {
		{ 0, 4, "0000111111111111" },   /* high N+1 clocks after the write */
		{ 2, 3, "1101101101101101" },
		{ 2, 4, "1110111011101110" },
		{ 3, 4, "1100110011001100" },
		{ 3, 5, "1110011100111001" },
		{ 3, 6, "1110001110001110" },
		{ 4, 3, "1110111111111111" },   /* strobe N+1 clocks after the write */
		{ 6, 3, "1101101101101101" },   /* 6 and 7 are 2 and 3 */
		{ 7, 4, "1100110011001100" },
	};
	char text[32];

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setup();
		out(0x61, 1);
		program2(rows[i].mode, rows[i].n);
		wave(text, 16);
		ck_assert_str_eq(text, rows[i].wave);
	}
}
END_TEST

START_TEST(test_waveforms_triggered)
{
	char text[32];

	program2(1, 3);
	ck_assert(out2());
	out(0x61, 1);
	wave(text, 8);
	ck_assert_str_eq(text, "00011111");
	/* A new edge retriggers the one-shot; the gate's fall does nothing. */
	out(0x61, 0);
	out(0x61, 1);
	wave(text, 2);
	ck_assert_str_eq(text, "00");
	out(0x61, 0);
	out(0x61, 1);
	wave(text, 6);
	ck_assert_str_eq(text, "000111");
	/* A count written on the way waits for the next trigger. */
	out(0x61, 0);
	out(0x61, 1);
	out(0x42, 5);
	out(0x42, 0);
	ck_assert_uint_eq(status(2) & 0x40, 0x40);
	wave(text, 5);
	ck_assert_str_eq(text, "00011");
	out(0x61, 0);
	out(0x61, 1);
	ck_assert_uint_eq(status(2) & 0x40, 0x00);
	wave(text, 7);
	ck_assert_str_eq(text, "0000011");
	/* Mode 5: strobe N+1 clocks after the trigger. */
	out(0x61, 0);
	program2(5, 3);
	wave(text, 6);
	ck_assert_str_eq(text, "111111");
	out(0x61, 1);
	wave(text, 8);
	ck_assert_str_eq(text, "11101111");
}
END_TEST

START_TEST(test_gate_holds)
{
	char text[32];

	/* Mode 0: closed gate holds the count, output unaffected. */
	out(0x61, 1);
	program2(0, 10);
	to_tick(tick + 4);
	ck_assert_uint_eq(count(2), 7);
	out(0x61, 0);
	to_tick(tick + 100);
	ck_assert_uint_eq(count(2), 7);
	out(0x61, 1);
	to_tick(tick + 6);
	ck_assert(!out2());
	ck_assert_uint_eq(count(2), 1);
	to_tick(tick + 1);
	ck_assert(out2());
	to_tick(tick + 1);
	ck_assert_uint_eq(count(2), 0xffff);
	/* Mode 0, count written with the gate closed: N ticks from opening it. */
	out(0x61, 0);
	program2(0, 3);
	to_tick(tick + 50);
	out(0x61, 1);
	wave(text, 4);
	ck_assert_str_eq(text, "0011");
	/* Modes 2 and 3: closed gate forces the output high, opening it starts anew. */
	program2(2, 3);
	to_tick(tick + 3);
	ck_assert(!out2());
	out(0x61, 0);
	wave(text, 6);
	ck_assert_str_eq(text, "111111");
	out(0x61, 1);
	wave(text, 6);
	ck_assert_str_eq(text, "110110");
}
END_TEST

START_TEST(test_counts)
{
	static const uint16_t odd[] = { 4, 2, 0, 4, 2, 4, 2, 0, 4, 2 };
	static const uint16_t even[] = { 4, 2, 4, 2, 4, 2 };
	static const uint16_t rate[] = { 3, 2, 1, 3, 2, 1, 3 };
	uint64_t start;

	out(0x61, 1);
	program2(3, 5);
	start = tick;
	for (unsigned int i = 0; i < 10; i++) {
		to_tick(start + 1 + i);
		ck_assert_uint_eq(count(2), odd[i]);
	}
	program2(3, 4);
	start = tick;
	for (unsigned int i = 0; i < 6; i++) {
		to_tick(start + 1 + i);
		ck_assert_uint_eq(count(2), even[i]);
	}
	program2(2, 3);
	start = tick;
	for (unsigned int i = 0; i < 7; i++) {
		to_tick(start + 1 + i);
		ck_assert_uint_eq(count(2), rate[i]);
	}
	/* 0 is the largest count. */
	program2(0, 0);
	to_tick(tick + 1);
	ck_assert_uint_eq(count(2), 0);
	to_tick(tick + 1);
	ck_assert_uint_eq(count(2), 0xffff);
	to_tick(tick + 65534);
	ck_assert(!out2());
	to_tick(tick + 1);
	ck_assert(out2());
}
END_TEST

START_TEST(test_bcd)
{
	out(0x61, 1);
	out(0x43, 0xb1);
	out(0x42, 0x00);
	out(0x42, 0x10);                /* 1000 */
	to_tick(tick + 1);
	ck_assert_uint_eq(count(2), 0x1000);
	to_tick(tick + 1);
	ck_assert_uint_eq(count(2), 0x0999);
	to_tick(tick + 999);
	ck_assert_uint_eq(count(2), 0x0000);
	ck_assert(out2());
	to_tick(tick + 1);
	ck_assert_uint_eq(count(2), 0x9999);
	out(0x43, 0xb1);
	out(0x42, 0x00);
	out(0x42, 0x00);                /* 10000 */
	to_tick(tick + 2);
	ck_assert_uint_eq(count(2), 0x9999);
}
END_TEST

START_TEST(test_access_modes)
{
	out(0x61, 1);
	out(0x43, 0x90);                /* low byte only: high is 0 */
	out(0x42, 0x34);
	to_tick(tick + 1);
	ck_assert_uint_eq(in(0x42), 0x34);
	ck_assert_uint_eq(in(0x42), 0x34);
	out(0x43, 0xa0);                /* high byte only: low is 0 */
	out(0x42, 0x12);
	to_tick(tick + 1);
	ck_assert_uint_eq(in(0x42), 0x12);
	to_tick(tick + 1);
	ck_assert_uint_eq(in(0x42), 0x11);
	/* Both: bytes alternate; the first byte of a new mode 0 count stops counting. */
	program2(0, 0x200);
	to_tick(tick + 0x101);
	ck_assert_uint_eq(in(0x42), 0x00);
	ck_assert_uint_eq(in(0x42), 0x01);
	to_tick(tick + 0x200);
	ck_assert(out2());
	out(0x42, 0x05);
	to_tick(tick + 100);
	ck_assert(!out2());
	out(0x42, 0x00);
	to_tick(tick + 5);
	ck_assert(!out2());
	to_tick(tick + 1);
	ck_assert(out2());
	ck_assert_uint_eq(io_read(io, &p, 0x43, 1), 0xff);
}
END_TEST

START_TEST(test_latch)
{
	out(0x61, 1);
	program2(2, 0x1234);
	to_tick(tick + 1);
	out(0x43, 0x80);
	to_tick(tick + 0x33);
	out(0x43, 0x80);                /* ignored: the first latch holds */
	ck_assert_uint_eq(in(0x42), 0x34);
	to_tick(tick + 1);
	ck_assert_uint_eq(in(0x42), 0x12);
	ck_assert_uint_eq(count(2), 0x1200);
	/* Reprogramming drops the latch. */
	out(0x43, 0x80);
	program2(2, 0x55);
	to_tick(tick + 1);
	ck_assert_uint_eq(in(0x42), 0x55);
	ck_assert_uint_eq(in(0x42), 0x00);
}
END_TEST

START_TEST(test_read_back)
{
	/* Power-on gate closed; mode 3, both bytes, output high, null count. */
	out(0x43, 0xb6);
	ck_assert_uint_eq(status(2), 0xf6);
	out(0x61, 1);
	out(0x42, 0x04);
	out(0x42, 0x00);
	ck_assert_uint_eq(status(2), 0xf6);     /* written, not yet in the counter */
	to_tick(tick + 1);
	ck_assert_uint_eq(status(2), 0xb6);
	to_tick(tick + 2);
	ck_assert_uint_eq(status(2), 0x36);
	out(0x43, 0x91);                        /* mode 0, low byte, BCD */
	ck_assert_uint_eq(status(2), 0x51);
	out(0x43, 0x78);                        /* channel 1, mode 4 */
	ck_assert_uint_eq(status(1), 0xf8);
	/* Status and count of two channels at once: status comes first. */
	out(0x43, 0x34);
	out(0x40, 0x10);
	out(0x40, 0x00);
	to_tick(tick + 3);
	out(0x43, 0xca);                        /* 11 0 0 101 0: channels 0 and 2 */
	to_tick(tick + 1);
	ck_assert_uint_eq(in(0x40), 0xb4);
	ck_assert_uint_eq(in(0x40), 0x0e);
	ck_assert_uint_eq(in(0x40), 0x00);
	ck_assert_uint_eq(in(0x42), 0x51);
	/* Second status latch is ignored until the first is read. */
	out(0x43, 0xe2);
	out(0x43, 0x30);
	out(0x43, 0xe2);
	ck_assert_uint_eq(in(0x40), 0x70);
}
END_TEST

START_TEST(test_new_count_waits)
{
	char text[32];

	out(0x61, 1);
	program2(2, 5);
	to_tick(tick + 2);
	out(0x42, 3);
	out(0x42, 0);
	ck_assert_uint_eq(status(2) & 0x40, 0x40);
	wave(text, 10);
	ck_assert_str_eq(text, "1101101101");
	ck_assert_uint_eq(status(2) & 0x40, 0x00);
	/* Mode 3: from the end of the half period. */
	program2(3, 8);
	to_tick(tick + 2);
	out(0x42, 4);
	out(0x42, 0);
	wave(text, 10);
	ck_assert_str_eq(text, "1100110011");
	program2(3, 8);
	to_tick(tick + 6);
	ck_assert(!out2());
	out(0x42, 4);
	out(0x42, 0);
	wave(text, 10);
	ck_assert_str_eq(text, "0011001100");
}
END_TEST

START_TEST(test_irq_rate)
{
	uint64_t start;

	/*
	 * 18.2 Hz: the longest period, mode 3 as a BIOS sets it; two hours later it is still in
	 * step.
	 */
	out(0x43, 0x36);
	out(0x40, 0);
	out(0x40, 0);
	start = tick + 1;
	w.rises[0] = 0;
	to_tick(start + 65536 - 1);
	ck_assert_uint_eq(w.rises[0], 0);
	to_tick(start + 65536);
	ck_assert_uint_eq(w.rises[0], 1);
	to_tick(start + 131087ull * 65536);
	ck_assert_uint_eq(w.rises[0], 131087);
	ck_assert_uint_eq(w.last_rise[0], w.now);
	/* Mode 2 at 1000 Hz. */
	out(0x43, 0x34);
	out(0x40, 1193 & 0xff);
	out(0x40, 1193 >> 8);
	start = tick + 1;
	w.rises[0] = 0;
	to_tick(start + 1193 * 1000);
	ck_assert_uint_eq(w.rises[0], 1000);
	/* Late service: one interrupt, then back on the grid. */
	w.now += 10000000;
	w.deadline[0] = 0;
	vpit_timer(&p, 0);
	ck_assert_uint_eq(w.rises[0], 1001);
	fake_run_to(&w, w.deadline[0]);
	ck_assert_uint_eq(((unsigned __int128)w.now * VPIT_HZ / 1000000000 - start) % 1193, 0);
	/* Early service: none. */
	vpit_timer(&p, 0);
	ck_assert_uint_eq(w.rises[0], 1002);
}
END_TEST

/* Start mode 2 with a count of 1000 and let one interrupt come; the tick at which the count began. */
static uint64_t start_ticks(enum vtick_policy policy)
{
	uint64_t start;

	p.tick.policy = policy;
	out(0x43, 0x34);
	out(0x40, 1000 & 0xff);
	out(0x40, 1000 >> 8);
	start = tick + 1;
	to_tick(start + 1000);
	w.rises[0] = 0;
	return start;
}

START_TEST(test_policy_catchup)
{
	uint64_t start = start_ticks(VTICK_CATCHUP);

	/* Ten come due while one waits; then each is raised when the one before was taken. */
	w.waiting[0] = true;
	to_tick(start + 11000 + 500);
	ck_assert_uint_eq(w.rises[0], 0);
	ck_assert_uint_eq(p.tick.owed, 10);
	vpit_taken(&p);
	ck_assert_uint_eq(w.rises[0], 0);
	w.waiting[0] = false;
	for (unsigned int i = 1; i <= 10; i++) {
		vpit_taken(&p);
		ck_assert_uint_eq(w.rises[0], i);
	}
	vpit_taken(&p);
	ck_assert_uint_eq(w.rises[0], 10);
	to_tick(start + 12000 - 1);
	ck_assert_uint_eq(w.rises[0], 10);
	to_tick(start + 12000);
	ck_assert_uint_eq(w.rises[0], 11);
	/* Found late: the same number in the end. */
	w.now += 5001ull * 1000000000 / VPIT_HZ;
	fake_run(&w, 0);
	ck_assert_uint_eq(w.rises[0], 12);
	ck_assert_uint_eq(p.tick.owed, 4);
	/* One that came due, but was not served yet when another was taken, counts. */
	w.now += 1000ull * 1000000000 / VPIT_HZ;
	w.deadline[0] = 0;
	w.waiting[0] = true;
	vpit_taken(&p);
	ck_assert_uint_eq(p.tick.owed, 5);
	/* A new count is a new timer. */
	out(0x43, 0x34);
	ck_assert_uint_eq(p.tick.owed, 0);
}
END_TEST

START_TEST(test_policy_catchup_fast)
{
	uint64_t start;

	/* Faster than the host's timer is used (240 ticks): none is lost all the same, but the last 12 may not be found yet. */
	p.tick.policy = VTICK_CATCHUP;
	out(0x43, 0x34);
	out(0x40, 20);
	out(0x40, 0);
	start = tick + 1;
	w.rises[0] = 0;
	to_tick(start + 20000);
	while (p.tick.owed != 0) {
		vpit_taken(&p);
	}
	ck_assert_uint_ge(w.rises[0], 987);
	ck_assert_uint_le(w.rises[0], 1000);
	to_tick(start + 40000);
	while (p.tick.owed != 0) {
		vpit_taken(&p);
	}
	ck_assert_uint_ge(w.rises[0], 1987);
	ck_assert_uint_le(w.rises[0], 2000);
}
END_TEST

START_TEST(test_policy_delay)
{
	uint64_t start = start_ticks(VTICK_DELAY);

	w.waiting[0] = true;
	to_tick(start + 11000 + 500);
	ck_assert_uint_eq(w.rises[0], 0);
	w.waiting[0] = false;
	vpit_taken(&p);
	ck_assert_uint_eq(w.rises[0], 0);
	/* A whole period from here, and from now on at that phase; what can be read stays in step. */
	to_tick(start + 12500 - 1);
	ck_assert_uint_eq(w.rises[0], 0);
	to_tick(start + 12500);
	ck_assert_uint_eq(w.rises[0], 1);
	ck_assert_uint_eq(count(0), 500);
	to_tick(start + 22500);
	ck_assert_uint_eq(w.rises[0], 11);
	out(0x43, 0x34);
	out(0x40, 1000 & 0xff);
	out(0x40, 1000 >> 8);
	w.rises[0] = 0;
	to_tick(tick + 1001);
	ck_assert_uint_eq(w.rises[0], 1);
}
END_TEST

START_TEST(test_policy_discard)
{
	uint64_t start = start_ticks(VTICK_DISCARD);

	w.now += 5500ull * 1000000000 / VPIT_HZ;
	fake_run(&w, 0);
	ck_assert_uint_eq(w.rises[0], 0);
	to_tick(start + 7000 - 1);
	ck_assert_uint_eq(w.rises[0], 0);
	to_tick(start + 7000);
	ck_assert_uint_eq(w.rises[0], 1);
}
END_TEST

START_TEST(test_gate_stops_count)
{
	/* A low gate stops modes 2 and 3 where they are, with the output high; the edge begins anew. */
	for (unsigned int mode = 2; mode <= 3; mode++) {
		out(0x61, 1);
		out(0x43, 0xb0 | mode << 1);
		out(0x42, 100);
		out(0x42, 0);
		to_tick(tick + 1 + 30);
		ck_assert_uint_eq(count(2), mode == 2 ? 70 : 40);
		out(0x61, 0);
		to_tick(tick + 1000);
		ck_assert_uint_eq(count(2), mode == 2 ? 70 : 40);
		ck_assert(out2());
		out(0x61, 1);
		to_tick(tick + 1);
		ck_assert_uint_eq(count(2), 100);
	}
}
END_TEST

START_TEST(test_irq_one_shot)
{
	out(0x43, 0x30);                        /* mode 0 */
	ck_assert(!w.level[0]);
	w.rises[0] = 0;
	out(0x40, 100);
	out(0x40, 0);
	to_tick(tick + 100);
	ck_assert_uint_eq(w.rises[0], 0);
	to_tick(tick + 1);
	ck_assert_uint_eq(w.rises[0], 1);
	to_tick(tick + 1000000);
	ck_assert_uint_eq(w.rises[0], 1);
	out(0x40, 100);
	ck_assert(!w.level[0]);
	out(0x40, 0);
	to_tick(tick + 101);
	ck_assert_uint_eq(w.rises[0], 2);
	out(0x43, 0x38);                        /* mode 4 */
	w.rises[0] = 0;
	out(0x40, 100);
	out(0x40, 0);
	to_tick(tick + 101);
	ck_assert_uint_eq(w.rises[0], 0);
	to_tick(tick + 1);
	ck_assert_uint_eq(w.rises[0], 1);
	to_tick(tick + 1000000);
	ck_assert_uint_eq(w.rises[0], 1);
	/* A control word without a count is silence. */
	out(0x43, 0x34);
	w.rises[0] = 0;
	to_tick(tick + 1000000);
	ck_assert_uint_eq(w.rises[0], 0);
}
END_TEST

START_TEST(test_irq_is_bounded)
{
	out(0x43, 0x14);
	out(0x40, 2);
	w.rises[0] = 0;
	to_tick(tick + VPIT_HZ / 100);
	ck_assert_uint_le(w.rises[0], 50);
	ck_assert_uint_ge(w.rises[0], 40);
}
END_TEST

START_TEST(test_port61)
{
	unsigned int changes = 0, last;

	out(0x61, 0xff);
	ck_assert_uint_eq(in(0x61) & 0xcf, 0x0f);
	last = in(0x61) & 0x10;
	for (unsigned int i = 0; i < 1800; i++) {
		to_tick(tick + 1);
		changes += (in(0x61) & 0x10) != last;
		last = in(0x61) & 0x10;
	}
	ck_assert_uint_eq(changes, 100);
	ck_assert_int_eq(io_result(io, &p, false, 0x60, 1, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &p, false, 0x44, 4, 0), IO_UNCLAIMED);
	vpit_reset(&p);
	ck_assert_uint_eq(w.deadline[0], 0);
	ck_assert(!w.level[0]);
}
END_TEST

/* What boot code does: 10 ms on channel 2 in mode 0, watched through port 61h. */
START_TEST(test_calibration_loop)
{
	uint64_t start;

	out(0x61, (in(0x61) & ~2) | 1);
	out(0x43, 0xb0);
	out(0x42, 11932 & 0xff);
	out(0x42, 11932 >> 8);
	start = w.now;
	while (!out2()) {
		fake_run(&w, 500);
	}
	ck_assert_uint_ge(w.now - start, 10000000);
	ck_assert_uint_le(w.now - start, 10003000);
}
END_TEST

START_TEST(test_random_accesses)
{
	static const uint16_t ports[] = { 0x3f, 0x40, 0x41, 0x42, 0x43, 0x61, 0x60, 0x43 };
	struct rnd r = { 4242 };

	fake_world_init(&w, 0, timer, &p);
	vpit_init(&p, &w.host);
	for (unsigned int i = 0; i < 200000; i++) {
		io_result(io, &p, rnd_below(&r, 2), ports[rnd_below(&r, 8)], rnd_size(&r),
			  rnd_next(&r));
		if (rnd_below(&r, 4) == 0) {
			fake_run(&w, rnd_below(&r, 1u << rnd_below(&r, 20)));
		}
		if (rnd_below(&r, 1000) == 0) {
			/* The host was away. */
			w.now += rnd_below(&r, 1ull << 40);
		}
		if (rnd_below(&r, 50) == 0) {
			p.tick.policy = rnd_below(&r, VTICK_POLICIES);
		}
		w.waiting[0] = rnd_below(&r, 2);
		vpit_taken(&p);
		ck_assert(w.deadline[0] == 0 || p.edge != 0);
		ck_assert(p.lag < 65536);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_waveforms, test_waveforms_triggered, test_gate_holds, test_counts, test_bcd,
		test_access_modes, test_latch, test_read_back, test_new_count_waits, test_policy_catchup, test_policy_catchup_fast, test_policy_delay, test_policy_discard, test_gate_stops_count,
		test_irq_rate,
		test_irq_one_shot, test_irq_is_bounded, test_port61, test_calibration_loop,
		test_random_accesses, NULL
	};

	return suite_run("vpit", setup, tests);
}
