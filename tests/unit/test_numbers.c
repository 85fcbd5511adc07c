/* The small arithmetic of lib/: div128, bitmap, str, pvscale, calendar, ring, nospec. */
#include <string.h>
#include <time.h>
#include "lib/bitmap.h"
#include "lib/calendar.h"
#include "lib/div128.h"
#include "lib/mem.h"
#include "lib/nospec.h"
#include "lib/pvscale.h"
#include "lib/ring.h"
#include "fake/rnd.h"
#include "fake/suite.h"

typedef unsigned __int128 u128;

static struct rnd random_state = { 88172645463325252 };

static uint64_t any(void)
{
	return rnd_next(&random_state);
}

static void setup(void)
{
}

/* Numbers of all lengths, with long runs of equal bits more often than chance. */
static u128 any128(void)
{
	u128 v = (u128)any() << 64 | any();

	v >>= any() % 128;
	switch (any() % 4) {
	case 0:
		return ~(u128)0 << (any() % 128);
	case 1:
		return ~(u128)0 >> (any() % 128);
	default:
		return v;
	}
}

START_TEST(test_div128)
{
	for (unsigned int i = 0; i < 300000; i++) {
		u128 n = any128(), d = any128(), rem, q;

		if (d == 0) {
			continue;
		}
		q = div128(n, d, &rem);
		MUST(q == n / d && rem == n % d);
	}
}
END_TEST

START_TEST(test_bitmap)
{
	for (unsigned int turn = 0; turn < 2000; turn++) {
		uint64_t map[3] = { 0 };
		bool model[180] = { false };
		unsigned int bits = 1 + any() % 180, count = 0, from = any() % bits, set, clear;

		for (unsigned int n = any() % 100; n > 0; n--) {
			unsigned int bit = any() % 180;

			model[bit] = any() & 1;
			if (model[bit]) {
				bitmap_set(map, bit);
			} else {
				bitmap_clear(map, bit);
			}
		}
		for (unsigned int i = 0; i < bits; i++) {
			MUST(bitmap_test(map, i) == model[i]);
			count += model[i];
		}
		MUST(bitmap_count(map, bits) == count);
		for (set = from; set < bits && !model[set]; set++) {
		}
		for (clear = from; clear < bits && model[clear]; clear++) {
		}
		MUST(bitmap_next_set(map, bits, from) == set && bitmap_next_clear(map, bits, from) == clear);
	}
}
END_TEST

START_TEST(test_str_to_u64)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
		const char *rest;
	} rows[] = {
		{ "0", true, 0, "" },
		{ "12x", true, 12, "x" },
		{ "0x1fG", true, 31, "G" },
		{ "0XfF", true, 255, "" },
		{ "18446744073709551615", true, UINT64_MAX, "" },
		{ "18446744073709551616", false, 0, NULL },
		{ "0x10000000000000000", false, 0, NULL },
		{ "", false, 0, NULL },
		{ "0x", false, 0, NULL },
		{ "x", false, 0, NULL },
		{ "-1", false, 0, NULL },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *end = NULL;
		uint64_t v = 77;

		ck_assert_int_eq(str_to_u64(rows[i].text, &end, &v), rows[i].ok);
		if (rows[i].ok) {
			ck_assert_uint_eq(v, rows[i].value);
			ck_assert_str_eq(end, rows[i].rest);
		}
	}
}
END_TEST

START_TEST(test_str_copy)
{
	char buf[5];

	ck_assert(str_copy(buf, "four", sizeof(buf)));
	ck_assert_str_eq(buf, "four");
	ck_assert(!str_copy(buf, "fiver", sizeof(buf)));
	ck_assert_str_eq(buf, "five");
	ck_assert(!str_copy(buf, "x", 1));
	ck_assert_str_eq(buf, "");
}
END_TEST

START_TEST(test_pvscale)
{
	static const uint64_t hz[] = { 1000000, 3579545, 1000000000, 1000000001, 2596123000, 5000000000, 999999999 };

	for (unsigned int i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
		struct pvscale to_ns = pvscale_make(hz[i], 1000000000), from_ns = pvscale_make(1000000000, hz[i]);

		MUST(to_ns.mul >> 31 && from_ns.mul >> 31);
		/* An hour of ticks: right to some parts in 2^31. */
		uint64_t ns = pvscale_apply(&to_ns, hz[i] * 3600), ticks = pvscale_apply(&from_ns, 3600000000000);

		MUST(ns <= 3600000000000 && 3600000000000 - ns < 4000);
		MUST(ticks <= hz[i] * 3600 && hz[i] * 3600 - ticks <= hz[i] * 3600 / 1000000000 + 1);
	}
}
END_TEST

START_TEST(test_calendar)
{
	ck_assert_uint_eq(calendar_seconds(1970, 1, 1, 0, 0, 0), 0);
	ck_assert_uint_eq(calendar_seconds(2000, 2, 29, 12, 34, 56), 951827696);
	for (uint64_t t = 0; t < 4102444800; t += 86400 * 13 + 4321) {
		time_t libc_time = (time_t)t;
		struct tm tm;

		gmtime_r(&libc_time, &tm);
		MUST(calendar_seconds((unsigned int)tm.tm_year + 1900, (unsigned int)tm.tm_mon + 1,
				      (unsigned int)tm.tm_mday, (unsigned int)tm.tm_hour, (unsigned int)tm.tm_min,
				      (unsigned int)tm.tm_sec) == t);
	}
}
END_TEST

START_TEST(test_cmos)
{
	const uint8_t bcd[6] = { 0x26, 0x11, 0x22, 0x18, 0x07, 0x59 }, binary[6] = { 26, 11, 22, 18, 7, 59 };
	const uint8_t evening[6] = { 0x26, 0x11, 0x22, 0x86, 0x07, 0x59 };
	const uint8_t midnight[6] = { 0x99, 0x12, 0x31, 0x12, 0, 0 }, noon[6] = { 0x99, 0x12, 0x31, 0x92, 0, 0 };
	uint64_t t = calendar_seconds(2026, 11, 22, 18, 7, 59);

	ck_assert_uint_eq(calendar_from_cmos(bcd, 2), t);
	ck_assert_uint_eq(calendar_from_cmos(binary, 6), t);
	ck_assert_uint_eq(calendar_from_cmos(evening, 0), t);
	ck_assert_uint_eq(calendar_from_cmos(midnight, 0), calendar_seconds(1999, 12, 31, 0, 0, 0));
	ck_assert_uint_eq(calendar_from_cmos(noon, 0), calendar_seconds(1999, 12, 31, 12, 0, 0));
}
END_TEST

/* An index in bounds stays what it is, any other is none that could leave the array. */
START_TEST(test_nospec)
{
	static const uint64_t sizes[] = { 1, 2, 3, 17, 64, 4096, 0x80000000, 0xffffffff, 1ull << 63, UINT64_MAX };

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t n = sizes[i];

		ck_assert_uint_eq(nospec_index(0, n), 0);
		ck_assert_uint_eq(nospec_index(n - 1, n), n - 1);
		ck_assert_uint_eq(nospec_index(n, n), 0);
		ck_assert_uint_eq(nospec_index(UINT64_MAX, n), 0);
		for (unsigned int j = 0; j < 1000; j++) {
			uint64_t index = any() >> any() % 64;

			ck_assert_uint_eq(nospec_index(index, n), index < n ? index : 0);
		}
	}
	ck_assert_uint_eq(nospec_index(0, 0), 0);
	ck_assert_uint_eq(nospec_index(5, 0), 0);
	for (unsigned int i = 0; i < 1000; i++) {
		ck_assert_uint_eq(nospec_index_pow2(i, 256), i & 255);
	}
}
END_TEST

START_TEST(test_ring)
{
	uint8_t bytes[8], c;
	struct ring r = RING_INIT(bytes, 8);

	r.head = r.tail = UINT32_MAX - 3;       /* the counts wrap on the way */
	for (unsigned int turn = 0; turn < 20; turn++) {
		for (uint8_t i = 0; i < 8; i++) {
			ck_assert(ring_put(&r, (uint8_t)(turn + i)));
		}
		ck_assert(!ring_put(&r, 99));
		for (uint8_t i = 0; i < 8; i++) {
			ck_assert(ring_get(&r, &c) && c == (uint8_t)(turn + i));
		}
		ck_assert(!ring_get(&r, &c));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_div128, test_bitmap, test_nospec,	  test_str_to_u64, test_str_copy, test_pvscale,
					      test_calendar, test_cmos, test_ring, NULL };

	return suite_run("numbers", setup, tests);
}
