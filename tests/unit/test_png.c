/*
 * toolstack/png.c: a picture comes back from the PNG bit for bit; damaged PPMs are refused.
 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/fake/suite.h"
#include "toolstack/png.h"

static void setup(void)
{
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

START_TEST(test_round_trip)
{
	static const uint8_t ppm[] = "P6\n# made by hand\n2 2\n255\n\1\2\3\4\5\6\7\10\11\12\13\14";
	static const uint8_t want[] = {0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12};
	uint8_t rows[64];
	uLongf rows_len = sizeof(rows);
	uint8_t *png;
	size_t len;
	uint32_t idat;

	ck_assert_int_eq(png_from_ppm(ppm, sizeof(ppm) - 1, &png, &len), 0);
	ck_assert_mem_eq(png, "\x89PNG\r\n\x1a\n", 8);
	ck_assert_mem_eq(png + 12, "IHDR", 4);
	ck_assert_uint_eq(be32(png + 16), 2);
	ck_assert_uint_eq(be32(png + 20), 2);
	ck_assert_uint_eq(be32(png + 29), crc32(0, png + 12, 17));
	idat = be32(png + 33);
	ck_assert_mem_eq(png + 37, "IDAT", 4);
	ck_assert_int_eq(uncompress(rows, &rows_len, png + 41, idat), Z_OK);
	ck_assert_uint_eq(rows_len, sizeof(want));
	ck_assert_mem_eq(rows, want, sizeof(want));
	ck_assert_mem_eq(png + len - 8, "IEND", 4);
	ck_assert_uint_eq(be32(png + len - 4), 0xae426082);
	free(png);
}
END_TEST

START_TEST(test_refused)
{
	static const char *const bad[] = {
		"", "P5 1 1 255 x", "P6 1 1 65535 abc", "P6 0 1 255 abc", "P6 1 1 255",
		"P6 99999999999 1 255 abc", "P6 2 2 255 abc", "P6 -1 1 255 abc", "P6 1 1 255xabc",
	};
	uint8_t *png;
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(png_from_ppm((const uint8_t *)bad[i], strlen(bad[i]), &png, &len) ==
				      -EINVAL, "accepted: %s", bad[i]);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_round_trip, test_refused, NULL};

	return suite_run("png", setup, tests);
}
