/* vpmtimer.c against the ACPI specification: rate, status and enable, SCI, buttons, both places. */
#include <errno.h>
#include <string.h>
#include "dev/vpmtimer.h"
#include "fake/fake_vdev_host.h"
#include "fake/io.h"
#include "fake/rnd.h"
#include "fake/suite.h"

#define SECOND 1000000000ull

static struct vpmtimer v;
static struct fake_world w;

static enum io_result io(void *dev, struct io_access *a)
{
	return vpmtimer_io(dev, a);
}

static void timer(void *dev, unsigned int id)
{
	vpmtimer_timer(dev, id);
}

#define rd(port, size) io_read(io, &v, (port), (size))
#define wr(port, size, value) io_write(io, &v, (port), (size), (value))

static void setup(void)
{
	fake_world_init(&w, 0, timer, &v);
	vpmtimer_init(&v, &w.host);
	ck_assert_int_eq(vpmtimer_set_location(&v, 1), 0);
}

START_TEST(test_rate)
{
	ck_assert_uint_eq(rd(0xb008, 4), 0);
	fake_run_to(&w, SECOND);
	ck_assert_uint_eq(rd(0xb008, 4), 3579545);
	fake_run_to(&w, 10 * SECOND + SECOND / 2);
	ck_assert_uint_eq(rd(0xb008, 4), 37585222);
	ck_assert_uint_eq(rd(0xb008, 1), 37585222 & 0xff);
	ck_assert_uint_eq(rd(0xb00a, 2), 37585222 >> 16);
	/* All 32 bits, then round again: 1199.86 s. */
	fake_run_to(&w, 1200 * SECOND);
	ck_assert_uint_eq(rd(0xb008, 4), 3579545ull * 1200 - (1ull << 32));
	wr(0xb008, 4, 0);
	ck_assert_uint_eq(rd(0xb008, 4), 3579545ull * 1200 - (1ull << 32));
}
END_TEST

START_TEST(test_timer_status)
{
	const uint64_t half = (1ull << 31) * SECOND / 3579545;

	fake_run_to(&w, half);
	ck_assert_uint_eq(rd(0xb000, 2), 0);
	fake_run(&w, 1000);
	ck_assert_uint_eq(rd(0xb000, 2), 1);
	ck_assert_uint_eq(w.rises[9], 0);
	wr(0xb000, 2, 1);
	ck_assert_uint_eq(rd(0xb000, 2), 0);
	wr(0xb002, 2, 1);
	fake_run_to(&w, 2 * half);
	ck_assert_uint_eq(w.rises[9], 0);
	fake_run(&w, 1000);
	ck_assert(w.level[9]);
	ck_assert_uint_eq(rd(0xb000, 4), 0x00010001);
	wr(0xb000, 1, 1);
	ck_assert(!w.level[9]);
}
END_TEST

START_TEST(test_buttons)
{
	vpmtimer_power_button(&v);
	ck_assert(!w.level[9]);
	ck_assert_uint_eq(rd(0xb000, 2), 0x100);
	wr(0xb002, 2, 0x0120);          /* Linux's enables: button, global lock */
	ck_assert(w.level[9]);
	wr(0xb001, 1, 0x01);
	ck_assert(!w.level[9]);
	ck_assert_uint_eq(rd(0xb000, 2), 0);
	vpmtimer_sleep_button(&v);
	ck_assert(!w.level[9]);
	wr(0xb003, 1, 0x03);
	ck_assert_uint_eq(rd(0xb002, 2), 0x0320);
	ck_assert(w.level[9]);
	wr(0xb000, 2, 0xffff);
	ck_assert(!w.level[9]);
	vpmtimer_power_button(&v);
	vpmtimer_power_button(&v);
	ck_assert_uint_eq(w.rises[9], 3);
	/* Only what exists can be enabled; waking up is no interrupt. */
	wr(0xb002, 2, 0xffff);
	ck_assert_uint_eq(rd(0xb002, 2), 0x0721);
	wr(0xb000, 2, 0xffff);
	vpmtimer_wake(&v);
	ck_assert_uint_eq(rd(0xb000, 2), 0x8000);
	ck_assert(!w.level[9]);
	vpmtimer_power_button(&v);
	vpmtimer_reset(&v);
	ck_assert(!w.level[9]);
	ck_assert_int_eq(io_result(io, &v, false, 0xb000, 2, 0), IO_UNCLAIMED);
	ck_assert_uint_eq(rd(0x1f40, 4), 0);
}
END_TEST

START_TEST(test_places)
{
	ck_assert_int_eq(io_result(io, &v, false, 0xb004, 2, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, true, 0xb004, 2, 1), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, false, 0xb00c, 4, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, false, 0x1f48, 4, 0), IO_UNCLAIMED);
	ck_assert_int_eq(vpmtimer_set_location(&v, 0), 0);
	fake_run(&w, SECOND);
	ck_assert_uint_eq(rd(0x1f48, 4), 3579545);
	ck_assert_int_eq(io_result(io, &v, false, 0xb008, 4, 0), IO_UNCLAIMED);
	ck_assert_int_eq(vpmtimer_set_location(&v, 2), -EINVAL);
	ck_assert_uint_eq(rd(0x1f48, 4), 3579545);
	/* An access over the control register keeps off it. */
	ck_assert_uint_eq(rd(0x1f42, 4), 0xffff0000);
}
END_TEST

START_TEST(test_random_accesses)
{
	struct rnd r = { 358 };

	for (unsigned int i = 0; i < 100000; i++) {
		io_result(io, &v, rnd_below(&r, 2), 0xaffc + rnd_below(&r, 20), rnd_size(&r),
			  rnd_next(&r));
		if (rnd_below(&r, 16) == 0) {
			vpmtimer_power_button(&v);
		}
		if (rnd_below(&r, 4) == 0) {
			fake_run(&w, rnd_below(&r, 1ull << rnd_below(&r, 40)));
		}
		ck_assert(w.level[9] == ((v.status & v.enable) != 0));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_rate, test_timer_status, test_buttons, test_places, test_random_accesses, NULL
	};

	return suite_run("vpmtimer", setup, tests);
}
