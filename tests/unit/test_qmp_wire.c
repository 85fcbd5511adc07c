/* dm-glue/qmp_wire.c: fragments, several messages at once, nesting, size, garbage, commands. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dm-glue/qmp_wire.h"

static struct qmp_wire wire;
static struct qmp_msg msg;

static void setup(void)
{
	wire = (struct qmp_wire){ 0 };
	msg = (struct qmp_msg){ 0 };
}

static void teardown(void)
{
	qmp_msg_free(&msg);
	qmp_wire_free(&wire);
}

static int feed(const char *text)
{
	return qmp_wire_feed(&wire, text, strlen(text));
}

static int next(void)
{
	qmp_msg_free(&msg);
	return qmp_wire_next(&wire, &msg);
}

static const char greeting[] =
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, "
	"\"package\": \"x\"}, \"capabilities\": [\"oob\"]}}\r\n";

START_TEST(test_kinds)
{
	int64_t major;
	bool running = false;

	ck_assert_int_eq(feed(greeting), 0);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.kind, QMP_GREETING);
	ck_assert(qmp_get_int(qmp_get(qmp_get(msg.value, "version"), "qemu"), "major", &major));
	ck_assert_int_eq(major, 7);
	ck_assert_int_eq(feed("{\"return\": {\"running\": true, \"status\": \"running\"}, \"id\": 5}\n"), 0);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.kind, QMP_RETURN);
	ck_assert(msg.has_id);
	ck_assert_int_eq(msg.id, 5);
	ck_assert(qmp_get_bool(msg.value, "running", &running));
	ck_assert(running);
	ck_assert_str_eq(qmp_get_string(msg.value, "status"), "running");
	ck_assert_ptr_null(qmp_get_string(msg.value, "running"));
	ck_assert(!qmp_get_bool(msg.value, "status", &running));
	ck_assert_int_eq(feed("{\"id\": 6, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\n"), 0);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.kind, QMP_ERROR);
	ck_assert_str_eq(msg.name, "GenericError");
	ck_assert_str_eq(msg.text, "no");
	ck_assert_int_eq(feed("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"RESET\", "
			      "\"data\": {\"guest\": true}}\n"), 0);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.kind, QMP_EVENT);
	ck_assert_str_eq(msg.name, "RESET");
	ck_assert(qmp_get_bool(msg.value, "guest", &running));
	ck_assert_int_eq(next(), -EAGAIN);
}
END_TEST

START_TEST(test_byte_by_byte)
{
	for (size_t i = 0; i < strlen(greeting); i++) {
		ck_assert_int_eq(next(), -EAGAIN);
		ck_assert_int_eq(qmp_wire_feed(&wire, greeting + i, 1), 0);
	}
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.kind, QMP_GREETING);
}
END_TEST

START_TEST(test_several_in_one_read)
{
	ck_assert_int_eq(feed("{\"return\":1,\"id\":1}\r\n\r\n  \n{\"return\":2,\"id\":2}\n{\"return\":3,"), 0);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.id, 1);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.id, 2);
	ck_assert_int_eq(next(), -EAGAIN);
	ck_assert_int_eq(feed("\"id\":3}\n"), 0);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(msg.id, 3);
}
END_TEST

START_TEST(test_many_messages_reuse_the_buffer)
{
	for (int64_t i = 0; i < 20000; i++) {
		char line[64];

		snprintf(line, sizeof(line), "{\"return\":{},\"id\":%lld}\n", (long long)i);
		ck_assert_int_eq(feed(line), 0);
		ck_assert_int_eq(next(), 0);
		ck_assert_int_eq(msg.id, i);
	}
	ck_assert_uint_le(wire.cap, 8192);
}
END_TEST

START_TEST(test_nesting)
{
	char line[4096] = "{\"return\":";
	char deep[4096] = "{\"return\":";

	for (int i = 0; i < QMP_WIRE_DEPTH - 1; i++) {
		strcat(line, "[");
	}
	for (int i = 0; i < QMP_WIRE_DEPTH - 1; i++) {
		strcat(line, "]");
	}
	strcat(line, "}\n");
	ck_assert_int_eq(feed(line), 0);
	ck_assert_int_eq(next(), 0);
	/* Brackets in strings do not count. */
	ck_assert_int_eq(feed("{\"return\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"}\n"), 0);
	ck_assert_int_eq(next(), 0);
	for (int i = 0; i < QMP_WIRE_DEPTH; i++) {
		strcat(deep, "[");
	}
	for (int i = 0; i < QMP_WIRE_DEPTH; i++) {
		strcat(deep, "]");
	}
	strcat(deep, "}\n");
	ck_assert_int_eq(feed(deep), 0);
	ck_assert_int_eq(next(), -EPROTO);
}
END_TEST

START_TEST(test_too_long)
{
	char *junk = malloc(64 * 1024);
	int rc = 0;

	memset(junk, 'a', 64 * 1024);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(qmp_wire_feed(&wire, junk, 64 * 1024), 0);
	}
	rc = qmp_wire_feed(&wire, "a", 1);
	ck_assert_int_eq(rc, -EMSGSIZE);
	ck_assert_int_eq(feed("{\"return\":{}}\n"), -EMSGSIZE);
	ck_assert_int_eq(next(), -EPROTO);
	free(junk);
}
END_TEST

START_TEST(test_garbage)
{
	static const char *const bad[] = {
		"hello\n", "{\n", "{}\n", "[]\n", "1\n", "{\"return\":1}}\n", "{\"error\":{}}\n",
		"{\"error\":\"x\"}\n", "{\"event\":1}\n", "\x01\n", "{\"return\":\"\xff\xfe\"}\n",
		"null\n", "{\"return\":tru}\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup();
		ck_assert_int_eq(feed(bad[i]), 0);
		ck_assert_msg(next() == -EPROTO, "taken: %s", bad[i]);
		/* For good, even if sense follows. */
		(void)feed("{\"return\":{}}\n");
		ck_assert_int_eq(next(), -EPROTO);
		qmp_wire_free(&wire);
	}
	setup();
	ck_assert_int_eq(qmp_wire_feed(&wire, "{\"return\":1}\0{\n", 15), 0);
	ck_assert_int_eq(next(), -EPROTO);
}
END_TEST

static void expect_command(struct qmp_out *out, const char *want)
{
	const char *got;
	size_t len;

	ck_assert_int_eq(qmp_out_end(out, &got, &len), 0);
	ck_assert_uint_eq(len, strlen(want));
	ck_assert_mem_eq(got, want, len);
	qmp_out_free(out);
}

START_TEST(test_commands)
{
	struct qmp_out out;
	const char *got;
	size_t len;

	qmp_out_begin(&out, "stop", 1);
	expect_command(&out, "{\"execute\":\"stop\",\"id\":1}\n");
	qmp_out_begin(&out, "eject", 2);
	qmp_out_string(&out, "id", "h\"d\nc");
	qmp_out_bool(&out, "force", true);
	qmp_out_int(&out, "n", -3);
	expect_command(&out, "{\"execute\":\"eject\",\"id\":2,\"arguments\":"
			     "{\"id\":\"h\\\"d\\nc\",\"force\":true,\"n\":-3}}\n");
	qmp_out_begin(&out, "x", 3);
	qmp_out_string(&out, "bad", "\xff");
	qmp_out_string(&out, "good", "y");
	ck_assert_int_eq(qmp_out_end(&out, &got, &len), -EINVAL);
	qmp_out_free(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qmp_wire");
	TCase *tc = tcase_create("qmp_wire");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_kinds);
	tcase_add_test(tc, test_byte_by_byte);
	tcase_add_test(tc, test_several_in_one_read);
	tcase_add_test(tc, test_many_messages_reuse_the_buffer);
	tcase_add_test(tc, test_nesting);
	tcase_add_test(tc, test_too_long);
	tcase_add_test(tc, test_garbage);
	tcase_add_test(tc, test_commands);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
