/* debugcon.c: lines, replacement, bounds. */
#include <string.h>
#include "dev/debugcon.h"
#include "fake/io.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct debugcon d;
static unsigned int lines;
static char last[DEBUGCON_LINE];

static void on_line(void *ctx, const char *text)
{
	ck_assert_uint_lt(strlen(text), DEBUGCON_LINE);
	strcpy(last, text);
	lines++;
}

static const struct debugcon_host host = { .line = on_line };

static enum io_result io(void *dev, struct io_access *a)
{
	return debugcon_io(dev, a);
}

static void print(const char *text)
{
	for (; *text != 0; text++) {
		io_write(io, &d, 0xe9, 1, (uint8_t)*text);
	}
}

static void setup(void)
{
	lines = 0;
	debugcon_init(&d, &host);
}

START_TEST(test_lines)
{
	print("HVM Loader");
	ck_assert_uint_eq(lines, 0);
	print("\r\n");
	ck_assert_uint_eq(lines, 1);
	ck_assert_str_eq(last, "HVM Loader");
	print("a\tb\x1b[2J\x80\x7f\n");
	ck_assert_str_eq(last, "a b?[2J??");
	print("\n");
	ck_assert_uint_eq(lines, 3);
	ck_assert_str_eq(last, "");
	print("rest");
	debugcon_flush(&d);
	ck_assert_str_eq(last, "rest");
	debugcon_flush(&d);
	ck_assert_uint_eq(lines, 4);
}
END_TEST

START_TEST(test_long_line)
{
	for (unsigned int i = 0; i < 400; i++) {
		print("x");
	}
	ck_assert_uint_eq(lines, 2);
	ck_assert_uint_eq(strlen(last), DEBUGCON_LINE - 1);
	print("\n");
	ck_assert_uint_eq(lines, 3);
	ck_assert_uint_eq(strlen(last), 400 - 2 * (DEBUGCON_LINE - 1));
}
END_TEST

START_TEST(test_accesses)
{
	struct rnd r = { 0xe9 };

	ck_assert_int_eq(io_result(io, &d, false, 0xe9, 1, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &d, true, 0xea, 1, 'a'), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &d, true, 0xe9, 2, 0x0a41), IO_DONE);
	ck_assert_uint_eq(lines, 0);
	ck_assert_int_eq(io_result(io, &d, true, 0xe8, 2, 0x0a41), IO_DONE);
	ck_assert_str_eq(last, "A");
	for (unsigned int i = 0; i < 100000; i++) {
		io_result(io, &d, rnd_below(&r, 2), 0xe8 + rnd_below(&r, 3), rnd_size(&r),
			  rnd_next(&r));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_lines, test_long_line, test_accesses, NULL };

	return suite_run("debugcon", setup, tests);
}
