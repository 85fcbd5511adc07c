/*
 * toolstack/document.c: what a guest did to its clock is in the document afterwards, if the document wants it kept, and
 * everything else in it stays.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fake/suite.h"
#include "toolstack/config.h"
#include "toolstack/document.h"
#include "toolstack/lib/hvdom.h"

static int64_t moved;
static int moved_rc;
static char path[] = "/tmp/test_document.XXXXXX";

int hvdom_rtc_moved(struct hvcall *hv, uint32_t domid, int64_t *seconds)
{
	*seconds = moved_rc == 0 ? moved : 0;
	return moved_rc;
}

static void put(const char *clock)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fprintf(f,
		"<?xml version='1.0'?>\n<!-- mine -->\n<domain type='xen'><name>g</name>"
		"<uuid>01234567-89ab-cdef-0123-456789abcdef</uuid><memory unit='MiB'>16</memory>"
		"<metadata><clock xmlns='http://example.org/'>no</clock></metadata>%s\n"
		"<os><type arch='x86_64' machine='xenfv'>hvm</type></os></domain>\n",
		clock);
	fclose(f);
}

/* The document in the file: which clock it describes. */
static void expect(enum config_clock clock, int64_t adjustment, bool kept)
{
	struct config_diags diags = {0};
	struct guest_config *cfg;

	ck_assert_int_eq(config_load_file(path, &cfg, &diags), 0);
	ck_assert_uint_eq(diags.errors, 0);
	ck_assert_int_eq(cfg->clock, clock);
	ck_assert_int_eq(cfg->clock_adjustment, adjustment);
	ck_assert_int_eq(cfg->clock_kept, kept);
	ck_assert_str_eq(cfg->name, "g");
	config_diags_free(&diags);
	config_free(cfg);
}

static void setup(void)
{
	int fd;

	moved = moved_rc = 0;
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(test_kept)
{
	struct stat st;

	put("<clock offset='variable' adjustment='-60'><timer name='hpet' present='no'/></clock>");
	expect(CONFIG_CLOCK_VARIABLE, -60, true);
	moved = 7200;
	ck_assert_int_eq(document_update(NULL, 1, path), 0);
	expect(CONFIG_CLOCK_VARIABLE, 7140, true);
	/* and again, by the next start of the guest */
	moved = -7200;
	ck_assert_int_eq(document_update(NULL, 1, path), 0);
	expect(CONFIG_CLOCK_VARIABLE, -60, true);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	unlink(path);
}
END_TEST

/* A number of seconds makes utc and localtime variable, also when the sum is none. */
START_TEST(test_converted)
{
	put("<clock offset='localtime' adjustment='60'/>");
	moved = 5;
	ck_assert_int_eq(document_update(NULL, 1, path), 0);
	expect(CONFIG_CLOCK_LOCALTIME, 65, true);
	put("<clock offset='utc' adjustment='60'/>");
	moved = -60;
	ck_assert_int_eq(document_update(NULL, 1, path), 0);
	expect(CONFIG_CLOCK_VARIABLE, 0, true);
	put("<clock offset='utc' adjustment='0'/>");
	moved = INT64_MAX / 2;
	ck_assert_int_eq(document_update(NULL, 1, path), 0);
	expect(CONFIG_CLOCK_VARIABLE, INT32_MAX, true);
	unlink(path);
}
END_TEST

START_TEST(test_lost)
{
	static const char *const clocks[] = {"", "<clock offset='utc'/>",
					     "<clock offset='localtime' adjustment='reset'/>"};

	moved = 1000;
	for (unsigned int i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		bool changed = true;
		char *text;
		size_t len;

		put(clocks[i]);
		ck_assert_int_eq(document_now(NULL, 1, path, &text, &len, &changed), 0);
		ck_assert(!changed);
		ck_assert_uint_eq(len, strlen(text));
		free(text);
	}
	unlink(path);
}
END_TEST

START_TEST(test_rest_stays)
{
	bool changed;
	char *text;
	size_t len;

	put("<clock offset='variable'/>");
	moved = 3;
	ck_assert_int_eq(document_now(NULL, 1, path, &text, &len, &changed), 0);
	ck_assert(changed);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_ptr_nonnull(strstr(text, "<!-- mine -->"));
	ck_assert_ptr_nonnull(strstr(text, "<clock xmlns=\"http://example.org/\">no</clock>"));
	ck_assert_ptr_nonnull(
		strstr(text, "<clock offset=\"variable\" basis=\"utc\" adjustment=\"3\"/>"));
	free(text);
	/* the file itself has not changed */
	expect(CONFIG_CLOCK_VARIABLE, 0, true);
	unlink(path);
}
END_TEST

START_TEST(test_errors)
{
	size_t len;
	char *text;

	put("<clock offset='variable'/>");
	moved_rc = -ENOSYS;
	ck_assert_int_eq(document_update(NULL, 1, path), 0);
	moved_rc = -ESRCH;
	ck_assert_int_eq(document_update(NULL, 1, path), -ESRCH);
	put("<clock offset='strange'/>");
	ck_assert_int_eq(document_now(NULL, 1, path, &text, &len, NULL), -EINVAL);
	unlink(path);
	ck_assert_int_eq(document_now(NULL, 1, path, &text, &len, NULL), -ENOENT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_kept, test_converted, test_lost, test_rest_stays,
				      test_errors, NULL};

	return suite_run("document", setup, tests);
}
