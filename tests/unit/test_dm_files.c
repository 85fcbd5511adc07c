/* dm-glue/image.c, logfile.c, dmlock.c: headers byte by byte, the cap of a log, one lock per guest. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dm-glue/dmlock.h"
#include "dm-glue/image.h"
#include "dm-glue/logfile.h"

static char dir[32];
static char path[64];

static void setup(void)
{
	strcpy(dir, "/tmp/test-dm-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
}

static void teardown(void)
{
	char old[80];

	unlink(path);
	snprintf(old, sizeof(old), "%s.1", path);
	unlink(old);
	rmdir(dir);
}

START_TEST(test_qcow2)
{
	uint8_t head[IMAGE_HEADER] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, 3 };

	ck_assert_ptr_null(image_check(CONFIG_FORMAT_QCOW2, head, sizeof(head)));
	ck_assert_ptr_null(image_check(CONFIG_FORMAT_RAW, head, sizeof(head)));
	ck_assert_ptr_nonnull(image_check(CONFIG_FORMAT_QCOW2, head, 71));
	ck_assert_ptr_nonnull(image_check(CONFIG_FORMAT_QCOW2, head, IMAGE_HEADER - 1));
	head[15] = 0x68; /* backing file name at 0x68 */
	ck_assert_ptr_nonnull(strstr(image_check(CONFIG_FORMAT_QCOW2, head, sizeof(head)), "backing"));
	head[15] = 0;
	head[8] = 0x80; /* the field's first byte counts as much as its last */
	ck_assert_ptr_nonnull(strstr(image_check(CONFIG_FORMAT_QCOW2, head, sizeof(head)), "backing"));
	head[8] = 0;
	head[79] = 4; /* incompatible feature: external data file */
	ck_assert_ptr_nonnull(strstr(image_check(CONFIG_FORMAT_QCOW2, head, sizeof(head)), "data file"));
	head[7] = 2; /* version 2 has no such field */
	ck_assert_ptr_null(image_check(CONFIG_FORMAT_QCOW2, head, sizeof(head)));
	head[7] = 4;
	ck_assert_ptr_nonnull(image_check(CONFIG_FORMAT_QCOW2, head, sizeof(head)));
	head[0] = 'q';
	ck_assert_ptr_nonnull(image_check(CONFIG_FORMAT_QCOW2, head, sizeof(head)));
}
END_TEST

START_TEST(test_other_formats)
{
	uint8_t qed[IMAGE_HEADER] = { 'Q', 'E', 'D', 0 };

	ck_assert_ptr_null(image_check(CONFIG_FORMAT_QED, qed, sizeof(qed)));
	qed[16] = 1;
	ck_assert_ptr_nonnull(image_check(CONFIG_FORMAT_QED, qed, sizeof(qed)));
	ck_assert_ptr_null(image_check(CONFIG_FORMAT_VMDK, (const uint8_t *)"KDMV", 4));
	ck_assert_ptr_nonnull(image_check(CONFIG_FORMAT_VMDK, (const uint8_t *)"# Disk DescriptorFile", 21));
	ck_assert_ptr_null(image_check(CONFIG_FORMAT_RAW, NULL, 0));
}
END_TEST

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? st.st_size : -1;
}

START_TEST(test_log_is_capped)
{
	struct logfile log;
	char old[80], line[100];

	memset(line, 'x', sizeof(line));
	snprintf(old, sizeof(old), "%s.1", path);
	ck_assert_int_eq(logfile_open(&log, path, 1000, true), 0);
	for (int i = 0; i < 10; i++) {
		logfile_write(&log, line, sizeof(line));
	}
	ck_assert_int_eq(size_of(path), 1000);
	ck_assert_int_eq(size_of(old), -1);
	logfile_write(&log, "new", 3);
	ck_assert_int_eq(size_of(path), 3);
	ck_assert_int_eq(size_of(old), 1000);
	for (int i = 0; i < 1000; i++) {
		logfile_write(&log, line, sizeof(line));
	}
	ck_assert_int_le(size_of(path), 1000);
	ck_assert_int_le(size_of(old), 1000);
	logfile_close(&log);
	/* What is there counts. */
	ck_assert_int_eq(logfile_open(&log, path, 1000, true), 0);
	ck_assert_int_eq((int)log.size, (int)size_of(path));
	logfile_close(&log);
	ck_assert_int_eq(logfile_open(&log, path, 1000, false), 0);
	ck_assert_int_eq(size_of(path), 0);
	logfile_close(&log);
}
END_TEST

START_TEST(test_log_lines)
{
	struct logfile log;
	char *big = malloc(5000), text[2048] = "";

	ck_assert_int_eq(logfile_open(&log, path, 100000, true), 0);
	logfile_line(&log, "answer %d", 42);
	memset(big, 'y', 4999);
	big[4999] = '\0';
	logfile_line(&log, "%s", big);
	logfile_close(&log);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	ck_assert_ptr_nonnull(strstr(text, "Z answer 42\n"));
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	ck_assert_uint_eq(strlen(text), 1023);
	ck_assert_int_eq(text[1022], '\n');
	ck_assert_ptr_null(fgets(text, sizeof(text), f));
	fclose(f);
	free(big);
	/* Closed: nothing happens. */
	logfile_line(&log, "x");
}
END_TEST

START_TEST(test_log_into_a_device)
{
	struct logfile log;

	ck_assert_int_eq(logfile_open(&log, "/dev/null", 10, false), 0);
	logfile_write(&log, "0123456789abcdef", 16);
	ck_assert_int_ge(log.fd, 0);
	ck_assert_int_eq(size_of("/dev/null.1"), -1);
	logfile_close(&log);
	ck_assert_int_eq(logfile_open(&log, "/nosuch/file", 10, false), -ENOENT);
}
END_TEST

START_TEST(test_lock)
{
	int fd = dmlock_take(dir), status;

	ck_assert_int_ge(fd, 0);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(dmlock_take(dir) == -EBUSY ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
	dmlock_release(dir, fd);
	fd = dmlock_take(dir);
	ck_assert_int_ge(fd, 0);
	dmlock_release(dir, fd);
	ck_assert_int_eq(dmlock_take("/nosuch"), -ENOENT);
	dmlock_release(dir, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dm_files");
	TCase *tc = tcase_create("dm_files");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_qcow2);
	tcase_add_test(tc, test_other_formats);
	tcase_add_test(tc, test_log_is_capped);
	tcase_add_test(tc, test_log_lines);
	tcase_add_test(tc, test_log_into_a_device);
	tcase_add_test(tc, test_lock);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
