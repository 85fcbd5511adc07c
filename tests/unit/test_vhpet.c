/* vhpet.c against the HPET specification: registers, one-shot, periodic, 32 bits, level, legacy. */
#include <string.h>
#include "dev/vhpet.h"
#include "fake/fake_vdev_host.h"
#include "fake/io.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define MS 62500u               /* ticks in a millisecond */

static struct vhpet v;
static struct fake_world w;

static enum io_result io(void *dev, struct io_access *a)
{
	return vhpet_mmio(dev, a);
}

static void timer(void *dev, unsigned int id)
{
	vhpet_timer(dev, id);
}

#define rd(reg) io_read(io, &v, VHPET_BASE + (reg), 8)
#define wr(reg, value) io_write(io, &v, VHPET_BASE + (reg), 8, (value))
#define rd32(reg) io_read(io, &v, VHPET_BASE + (reg), 4)
#define wr32(reg, value) io_write(io, &v, VHPET_BASE + (reg), 4, (value))
#define CONF(n) (0x100 + 0x20 * (n))
#define COMP(n) (0x108 + 0x20 * (n))
#define FSB(n) (0x110 + 0x20 * (n))

static void ticks(uint64_t n)
{
	fake_run(&w, n * 16);
}

static void setup(void)
{
	fake_world_init(&w, 1600000, timer, &v);
	vhpet_init(&v, &w.host);
	vhpet_set_policy(&v, VTICK_MERGE);
}

START_TEST(test_registers)
{
	ck_assert_uint_eq(rd(0), 0x00f424008086a201ull);
	ck_assert_uint_eq(rd32(4), 16000000);
	ck_assert_uint_eq(rd(0x10), 0);
	ck_assert_uint_eq(rd(0xf0), 0);
	for (unsigned int n = 0; n < 3; n++) {
		ck_assert_uint_eq(rd(CONF(n)), 0x00f0000000008030ull);
		ck_assert_uint_eq(rd(COMP(n)), ~0ull);
		ck_assert_uint_eq(rd(COMP(n) + 8), 0);
		wr(CONF(n), ~0ull);
		/* Route 31 is none of its own, the rest reads back. */
		ck_assert_uint_eq(rd(CONF(n)), 0x00f000000000c17eull);
		wr(CONF(n), 21 << 9);
		ck_assert_uint_eq(rd(CONF(n)), 0x00f000000000aa30ull);
	}
	wr(0, 0);
	ck_assert_uint_eq(rd(0), 0x00f424008086a201ull);
	wr(0x10, ~0ull);
	ck_assert_uint_eq(rd(0x10), 3);
	ck_assert(vhpet_legacy(&v));
	wr(0x10, 2);
	ck_assert(!vhpet_legacy(&v));
	ck_assert_uint_eq(rd(0x3f8), 0);
	ck_assert_int_eq(io_result(io, &v, false, VHPET_BASE + 0x400, 4, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, false, VHPET_BASE - 8, 8, 0), IO_UNCLAIMED);
}
END_TEST

START_TEST(test_counter)
{
	ticks(1000);
	ck_assert_uint_eq(rd(0xf0), 0);
	wr(0xf0, 0x1fffffff0ull);
	wr(0x10, 1);
	ck_assert_uint_eq(rd(0xf0), 0x1fffffff0ull);
	ticks(0x20);
	ck_assert_uint_eq(rd(0xf0), 0x200000010ull);
	ck_assert_uint_eq(rd32(0xf4), 2);
	wr(0x10, 3);                    /* switching legacy does not disturb it */
	ticks(0x10);
	ck_assert_uint_eq(rd(0xf0), 0x200000020ull);
	wr(0x10, 0);
	ticks(1000);
	ck_assert_uint_eq(rd(0xf0), 0x200000020ull);
	wr32(0xf4, 7);
	ck_assert_uint_eq(rd(0xf0), 0x700000020ull);
	wr32(0xf0, 9);
	ck_assert_uint_eq(rd(0xf0), 0x700000009ull);
	/* sizes: parts of reads, no partial writes */
	ck_assert_uint_eq(io_read(io, &v, VHPET_BASE + 0x02, 2), 0x8086);
	ck_assert_uint_eq(io_read(io, &v, VHPET_BASE + 0x05, 1), 0x24);
	io_write(io, &v, VHPET_BASE + 0xf0, 1, 0x55);
	io_write(io, &v, VHPET_BASE + 0xf2, 4, 0x55);
	ck_assert_uint_eq(rd(0xf0), 0x700000009ull);
}
END_TEST

START_TEST(test_one_shot)
{
	wr(CONF(2), 20 << 9 | 4);
	wr(0x10, 1);
	wr(COMP(2), MS);
	ticks(MS - 1);
	ck_assert_uint_eq(w.rises[20], 0);
	ticks(1);
	ck_assert_uint_eq(w.rises[20], 1);
	ck_assert(!w.level[20]);
	ck_assert_uint_eq(rd(0x20), 0);
	ticks(100 * MS);
	ck_assert_uint_eq(w.rises[20], 1);
	ck_assert_uint_eq(rd(COMP(2)), MS);
	/* A little late: now. Long gone: not before the wrap. */
	wr(COMP(2), rd(0xf0) - 100);
	ck_assert_uint_eq(w.rises[20], 2);
	wr(COMP(2), rd(0xf0) - 2 * MS);
	ticks(1000 * MS);
	ck_assert_uint_eq(w.rises[20], 2);
	ck_assert_uint_eq(w.deadline[2], 0);
	/* Without its enable it counts silently; halted it does not match. */
	wr(CONF(2), 20 << 9);
	wr(COMP(2), rd(0xf0) + MS);
	ticks(2 * MS);
	ck_assert_uint_eq(w.rises[20], 2);
	wr(CONF(2), 20 << 9 | 4);
	ck_assert_uint_eq(w.rises[20], 2);
	wr(COMP(2), rd(0xf0) + MS);
	wr(0x10, 0);
	ck_assert_uint_eq(w.deadline[2], 0);
	ticks(5 * MS);
	wr(0x10, 1);
	ticks(MS - 1);
	ck_assert_uint_eq(w.rises[20], 2);
	ticks(1);
	ck_assert_uint_eq(w.rises[20], 3);
}
END_TEST

START_TEST(test_reset_comparator_is_silent)
{
	wr(CONF(0), 20 << 9 | 4);
	wr(CONF(1), 20 << 9 | 4 | 1 << 8);
	wr(0x10, 1);
	ticks(MS);
	ck_assert_uint_eq(w.rises[20], 0);
}
END_TEST

START_TEST(test_periodic)
{
	uint64_t first;

	/* The usual order: configuration with "set value", first match, period. */
	wr(0x10, 1);
	ticks(5 * MS);
	wr(CONF(0), 22 << 9 | 4 | 8 | 0x40);
	first = rd(0xf0) + 3 * MS;
	wr(COMP(0), first);
	ck_assert_uint_eq(rd(CONF(0)) & 0x40, 0);
	wr(COMP(0), MS);
	ck_assert_uint_eq(rd(COMP(0)), first);
	ticks(3 * MS - 1);
	ck_assert_uint_eq(w.rises[22], 0);
	ticks(1);
	ck_assert_uint_eq(w.rises[22], 1);
	ck_assert_uint_eq(rd(COMP(0)), first + MS);
	ticks(1000 * MS);
	ck_assert_uint_eq(w.rises[22], 1001);
	ck_assert_uint_eq(w.last_rise[22], w.now);
	/* Served late: one interrupt, back on the grid. */
	w.now += 16 * (10 * MS + 5);
	w.deadline[0] = 0;
	vhpet_timer(&v, 0);
	ck_assert_uint_eq(w.rises[22], 1002);
	ck_assert_uint_eq(rd(COMP(0)), first + 1011 * MS);
	ticks(MS - 5);
	ck_assert_uint_eq(w.rises[22], 1003);
	/* Found late by an access. */
	w.now += 16 * MS;
	rd(COMP(0));
	ck_assert_uint_eq(w.rises[22], 1004);
	/* Too fast is stretched to 200 us. */
	wr(COMP(0), 1);
	ticks(MS);
	w.rises[22] = 0;
	ticks(200 * MS);
	ck_assert_uint_eq(w.rises[22], 1000);
	/* Period 0 is none. */
	wr(COMP(0), 0);
	ticks(10 * MS);
	ck_assert_uint_le(w.rises[22], 1001);
	wr(COMP(0), ~0ull);
	ticks(10 * MS);
	ck_assert_uint_le(w.rises[22], 1001);
}
END_TEST

/* Timer 0 on line 22, a millisecond, its first interrupt just raised. */
static void start_ticks(enum vtick_policy policy)
{
	vhpet_set_policy(&v, policy);
	wr(0x10, 1);
	wr(CONF(0), 22 << 9 | 4 | 8 | 0x40);
	wr(COMP(0), rd(0xf0) + MS);
	wr(COMP(0), MS);
	ticks(MS);
	w.rises[22] = 0;
}

START_TEST(test_policies)
{
	uint64_t comparator;

	start_ticks(VTICK_CATCHUP);
	comparator = rd(COMP(0));
	w.waiting[22] = true;
	ticks(10 * MS + 5);
	ck_assert_uint_eq(w.rises[22], 0);
	ck_assert(vhpet_owes(&v));
	w.waiting[22] = false;
	for (unsigned int i = 1; i <= 10; i++) {
		vhpet_taken(&v);
		ck_assert_uint_eq(w.rises[22], i);
	}
	ck_assert(!vhpet_owes(&v));
	vhpet_taken(&v);
	ck_assert_uint_eq(w.rises[22], 10);
	ck_assert_uint_eq(rd(COMP(0)), comparator + 10 * MS);

	start_ticks(VTICK_DELAY);
	comparator = rd(COMP(0));
	w.waiting[22] = true;
	ticks(10 * MS + 5);
	w.waiting[22] = false;
	vhpet_taken(&v);
	ticks(MS - 1);
	ck_assert_uint_eq(w.rises[22], 0);
	ticks(1);
	ck_assert_uint_eq(w.rises[22], 1);
	/* What can be read stays on the grid. */
	ck_assert_uint_eq((rd(COMP(0)) - comparator) % MS, 0);

	start_ticks(VTICK_DISCARD);
	w.now += 16 * (10 * MS + 5);
	fake_run(&w, 0);
	ck_assert_uint_eq(w.rises[22], 0);
	ticks(MS - 5);
	ck_assert_uint_eq(w.rises[22], 1);
}
END_TEST

START_TEST(test_fsb)
{
	/* The register holds value and address; the message is sent in place of the wire. */
	wr(FSB(2), 0xfee0500000004151);
	ck_assert_uint_eq(rd(FSB(2)), 0xfee0500000004151);
	wr32(FSB(2), 0x4152);
	wr32(FSB(2) + 4, 0xfee0600c);
	ck_assert_uint_eq(rd(FSB(2)), 0xfee0600c00004152);
	wr(CONF(2), 20 << 9 | 1 << 14 | 4);
	ck_assert_uint_eq(rd(CONF(2)) & 0xc000, 0xc000);
	wr(0x10, 1);
	wr(COMP(2), rd(0xf0) + MS);
	ticks(MS);
	ck_assert_uint_eq(w.msis, 1);
	ck_assert_uint_eq(w.msi_addr, 0xfee0600c);
	ck_assert_uint_eq(w.msi_data, 0x4152);
	ck_assert_uint_eq(w.rises[20], 0);
	/* Level means nothing to a message: no status. */
	wr(CONF(2), 20 << 9 | 1 << 14 | 4 | 2);
	wr(COMP(2), rd(0xf0) + MS);
	ticks(MS);
	ck_assert_uint_eq(w.msis, 2);
	ck_assert_uint_eq(rd(0x20), 0);
	ck_assert(!w.level[20]);
	/* Periodic, and each missed one in turn. */
	vhpet_set_policy(&v, VTICK_CATCHUP);
	wr(CONF(2), 1 << 14 | 4 | 8 | 0x40);
	wr(COMP(2), rd(0xf0) + MS);
	wr(COMP(2), MS);
	w.msi_waiting = true;
	ticks(5 * MS);
	ck_assert_uint_eq(w.msis, 2);
	w.msi_waiting = false;
	for (unsigned int i = 0; i < 7; i++) {
		vhpet_taken(&v);
	}
	ck_assert_uint_eq(w.msis, 7);
	/* Legacy replacement wires timers 0 and 1 whatever they say. */
	wr(CONF(2), 0);
	wr(CONF(0), 1 << 14 | 4);
	wr(0x10, 3);
	wr(COMP(0), rd(0xf0) + MS);
	ticks(MS);
	ck_assert_uint_eq(w.msis, 7);
	ck_assert_uint_eq(w.rises[0], 1);
}
END_TEST

START_TEST(test_32_bit)
{
	wr(0xf0, 0xffffff00ull);
	wr(CONF(1), 23 << 9 | 4 | 1 << 8);
	wr(COMP(1), 0x500000100ull);
	ck_assert_uint_eq(rd(COMP(1)), 0x100);
	wr(0x10, 1);
	ticks(0x1ff);
	ck_assert_uint_eq(w.rises[23], 0);
	ticks(1);
	ck_assert_uint_eq(w.rises[23], 1);
	/* It matches again when the low half comes round. */
	ticks(0xffffffffull);
	ck_assert_uint_eq(w.rises[23], 1);
	ticks(1);
	ck_assert_uint_eq(w.rises[23], 2);
	/* Periodic over the wrap. */
	wr(CONF(1), 23 << 9 | 4 | 8 | 0x40 | 1 << 8);
	wr(COMP(1), (uint32_t)(rd(0xf0) + 0x1000));
	wr(COMP(1), 0x40000000);
	ticks(0x1000 + 8 * 0x40000000ull);
	ck_assert_uint_eq(w.rises[23], 11);
	ck_assert_uint_le(rd(COMP(1)), 0xffffffff);
	/* Halves of a 64-bit comparator and period. */
	wr(CONF(1), 23 << 9 | 4);
	wr32(COMP(1) + 4, 0x20);
	wr32(COMP(1), 0x55);
	ck_assert_uint_eq(rd(COMP(1)), 0x2000000055ull);
	wr(CONF(1), 23 << 9 | 4 | 8);
	wr32(COMP(1), 0x12345);
	ck_assert_uint_eq(v.timer[1].period & 0xffffffff, 0x12345);
	ck_assert_uint_eq(rd(COMP(1)), 0x2000000055ull);
}
END_TEST

/* A period of 2^32 + 1 ticks that loses its upper half is not a period of one. */
START_TEST(test_period_cut_to_32_bits)
{
	wr(0x10, 1);
	wr(CONF(1), 23 << 9 | 4 | 8 | 0x40);
	wr(COMP(1), rd(0xf0) + MS);
	wr(COMP(1), 0x100000001ull);
	wr(CONF(1), 23 << 9 | 4 | 8 | 1 << 8);
	ticks(MS);
	w.rises[23] = 0;
	ticks(200 * MS);
	ck_assert_uint_eq(w.rises[23], 1000);
}
END_TEST

START_TEST(test_level)
{
	wr(CONF(0), 21 << 9 | 2 | 4);
	wr(0x10, 1);
	wr(COMP(0), MS);
	ticks(MS);
	ck_assert(w.level[21]);
	ck_assert_uint_eq(rd(0x20), 1);
	wr(0x20, 2);
	ck_assert(w.level[21]);
	wr32(0x20, 1);
	ck_assert(!w.level[21]);
	ck_assert_uint_eq(rd(0x20), 0);
	wr(COMP(0), rd(0xf0) + MS);
	ticks(MS);
	wr(CONF(0), 22 << 9 | 2 | 4);
	ck_assert(!w.level[21] && w.level[22]);
	wr(CONF(0), 22 << 9 | 2);
	ck_assert(!w.level[22]);
	wr(CONF(0), 22 << 9 | 2 | 4);
	ck_assert(w.level[22]);
	vhpet_reset(&v);
	ck_assert(!w.level[22]);
	ck_assert_uint_eq(w.deadline[0], 0);
	ck_assert_uint_eq(rd(0x20), 0);
}
END_TEST

START_TEST(test_legacy)
{
	wr(0x10, 3);
	for (unsigned int n = 0; n < 3; n++) {
		wr(CONF(n), 20 << 9 | 4);
		wr(COMP(n), (n + 1) * MS);
	}
	ticks(3 * MS);
	ck_assert_uint_eq(w.rises[0], 1);
	ck_assert_uint_eq(w.rises[8], 1);
	ck_assert_uint_eq(w.rises[20], 1);
	wr(0x10, 1);
	wr(COMP(0), rd(0xf0) + MS);
	ticks(MS);
	ck_assert_uint_eq(w.rises[0], 1);
	ck_assert_uint_eq(w.rises[20], 2);
}
END_TEST

START_TEST(test_random_accesses)
{
	struct rnd r = { 0x82541 };

	for (unsigned int i = 0; i < 200000; i++) {
		uint64_t reg = rnd_below(&r, 2) ? rnd_below(&r, 0x410)
						: 0x100 + rnd_below(&r, 12) * 8;

		io_result(io, &v, rnd_below(&r, 2), VHPET_BASE + reg, rnd_size(&r),
			  rnd_next(&r) >> rnd_below(&r, 64));
		if (rnd_below(&r, 16) == 0) {
			io_result(io, &v, true, VHPET_BASE + 0x10, 8, rnd_below(&r, 8) != 0);
		}
		if (rnd_below(&r, 4) == 0) {
			fake_run(&w, rnd_below(&r, 1ull << rnd_below(&r, 18)));
		}
		if (rnd_below(&r, 1000) == 0) {
			w.now += rnd_below(&r, 1ull << 42);
		}
		if (rnd_below(&r, 50) == 0) {
			vhpet_set_policy(&v, rnd_below(&r, VTICK_POLICIES));
		}
		for (unsigned int n = 20; n < 24; n++) {
			w.waiting[n] = rnd_below(&r, 2);
		}
		w.msi_waiting = rnd_below(&r, 2);
		vhpet_taken(&v);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_registers, test_counter, test_one_shot, test_reset_comparator_is_silent,
		test_periodic, test_policies, test_fsb, test_32_bit, test_period_cut_to_32_bits, test_level, test_legacy,
		test_random_accesses, NULL
	};

	return suite_run("vhpet", setup, tests);
}
