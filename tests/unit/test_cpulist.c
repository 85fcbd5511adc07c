/* cpulist.c: what is a set of CPUs, and what is not. */
#include "toolstack/cpulist.h"
#include "fake/suite.h"

static void setup(void)
{
}

START_TEST(test_parse)
{
	static const struct { const char *text; uint64_t set; } good[] = {
		{ "0", 1 }, { "0-3", 0xf }, { "0-3,^2", 0xb }, { "1,5,7-8", 0x1a2 }, { "63", UINT64_C(1) << 63 },
		{ "0-63", UINT64_MAX }, { "0-7,^1-3,2", 0xf5 }, { "all", UINT64_MAX },
	};
	static const char *const bad[] = { "", "x", "1,", ",1", "3-1", "64", "0-64", "1-", "-1", "1 2", "^1", "0,^0", "1,,2",
		"99999999999999999999", "All", "1-2-3" };
	uint64_t set;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(cpulist_parse(good[i].text, &set), "%s", good[i].text);
		ck_assert_uint_eq(set, good[i].set);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_msg(!cpulist_parse(bad[i], &set), "%s", bad[i]);
	}
}
END_TEST

START_TEST(test_text)
{
	char text[CPULIST_TEXT];

	cpulist_text(0xb, 8, text, sizeof(text));
	ck_assert_str_eq(text, "0-1,3");
	cpulist_text(UINT64_MAX, 2, text, sizeof(text));
	ck_assert_str_eq(text, "all");
	cpulist_text(3, 2, text, sizeof(text));
	ck_assert_str_eq(text, "all");
	cpulist_text(UINT64_C(0x5555555555555555), 64, text, sizeof(text));
	ck_assert_uint_eq(strlen(text), 5 * 2 + 27 * 3 - 1);
	cpulist_text(UINT64_C(1) << 63, 64, text, sizeof(text));
	ck_assert_str_eq(text, "63");
	/* Too little room cuts, and does no more. */
	cpulist_text(0xb, 8, text, 4);
	ck_assert_str_eq(text, "0-1");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_parse, test_text, NULL };

	return suite_run("cpulist", setup, tests);
}
