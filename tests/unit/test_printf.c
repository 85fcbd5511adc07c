/* printf.c against the C library's, and what the C library does not have. */
#include <stdio.h>
#include <string.h>
#include "lib/printf.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct rnd random_state = { 88172645463325252 };

static uint64_t any(void)
{
	return rnd_next(&random_state);
}

static void setup(void)
{
}

/* The same call to both; text and length must agree. */
#define SAME(...)                                                   \
	do {                                                        \
		char ours[200], theirs[200];                        \
		size_t n = printf_str(ours, sizeof(ours), __VA_ARGS__); \
		size_t m = (size_t)snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		ck_assert_str_eq(ours, theirs);                     \
		ck_assert_uint_eq(n, m);                            \
	} while (0)

START_TEST(test_numbers)
{
	static const uint64_t values[] = { 0, 1, 9, 10, 255, 0x7fffffff, 0x80000000, UINT32_MAX, 1ull << 63, UINT64_MAX };

	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint64_t v = values[i];

		SAME("%d|%i|%u|%x|%X|%o", (int)v, (int)v, (unsigned int)v, (unsigned int)v, (unsigned int)v,
		     (unsigned int)v);
		SAME("%ld|%lu|%lx|%llx|%zu|%zx", (long)v, v, v, (unsigned long long)v, (size_t)v, (size_t)v);
		SAME("%hhx|%hx|%hhd|%hd|%hu", (unsigned char)v, (unsigned short)v, (signed char)v, (short)v,
		     (unsigned short)v);
		SAME("%20lu|%-20lu|%020lu|%.5lu|%12.5lu|%-12.5lx|%#lx", v, v, v, v, v, v, v);
		SAME("%+ld|% ld|%+20ld|%020ld|%-8ld|", (long)v, (long)v, (long)v, (long)v, (long)v);
	}
}
END_TEST

START_TEST(test_text)
{
	SAME("plain");
	SAME("%%|%c|%5c|%-5c|", 'a', 'b', 'c');
	SAME("%s|%10s|%-10s|%.2s|%10.2s|%s", "text", "text", "text", "text", "text", "");
	SAME("%*d|%-*d|%*d|%.*s", 6, 42, 6, 42, -6, 42, 3, "abcdef");
}
END_TEST

START_TEST(test_cut)
{
	char buf[8];

	memset(buf, '!', sizeof(buf));
	ck_assert_uint_eq(printf_str(buf, 5, "%s", "longer than that"), 16);
	ck_assert_str_eq(buf, "long");
	ck_assert_int_eq(buf[5], '!');
	ck_assert_uint_eq(printf_str(buf, 1, "%d", 12345), 5);
	ck_assert_str_eq(buf, "");
}
END_TEST

START_TEST(test_random)
{
	for (unsigned int i = 0; i < 20000; i++) {
		static const char *const formats[] = { "%*.*lx", "%-*.*lu", "%0*lx", "%+*ld" };
		char ours[200], theirs[200];
		int width = (int)(any() % 40) - 20, precision = (int)(any() % 30) - 5;
		uint64_t v = any() >> (any() % 64);
		const char *f = formats[i % 4];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		if (i % 4 < 2) {
			printf_str(ours, sizeof(ours), f, width, precision, v);
			snprintf(theirs, sizeof(theirs), f, width, precision, v);
		} else {
			printf_str(ours, sizeof(ours), f, width, v);
			snprintf(theirs, sizeof(theirs), f, width, v);
		}
#pragma GCC diagnostic pop
		MUST(strcmp(ours, theirs) == 0);
	}
}
END_TEST

static void collect(void *ctx, const char *text, size_t len)
{
	strncat(ctx, text, len);
}

static bool name_of(uint64_t addr, char *buf, size_t size)
{
	if (addr != 0x1234) {
		return false;
	}
	snprintf(buf, size, "function+0x4");
	return true;
}

static void to_sink(const struct printf_sink *sink, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void to_sink(const struct printf_sink *sink, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf_to(sink, fmt, ap);
	va_end(ap);
}

START_TEST(test_pointers)
{
	char text[200] = "";
	struct printf_sink sink = { .put = collect, .symbol = name_of, .ctx = text };

	to_sink(&sink, "%pS %pS %p %s", (void *)0x1234, (void *)0x99, (void *)0xabc, (char *)NULL);
	ck_assert_str_eq(text, "function+0x4 0000000000000099 0000000000000abc (null)");
	text[0] = '\0';
	sink.symbol = NULL;
	to_sink(&sink, "%pS|", (void *)0x1234);
	ck_assert_str_eq(text, "0000000000001234|");
}
END_TEST

START_TEST(test_unknown)
{
	char buf[40];
	const char *volatile fmt = "a%";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
	printf_str(buf, sizeof(buf), fmt);
	ck_assert_str_eq(buf, "a%?");
	fmt = "%y.";
	printf_str(buf, sizeof(buf), fmt);
	ck_assert_str_eq(buf, "%?.");
#pragma GCC diagnostic pop
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_numbers, test_text, test_cut, test_random, test_pointers,
					      test_unknown, NULL };

	return suite_run("printf", setup, tests);
}
