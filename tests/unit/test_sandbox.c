/*
 * dm-glue/sandbox*.c: the filter seen from inside, a start as whoever runs the tests, and, as root, the
 * verdict of sandbox_check on a process that the sandbox started.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dm-glue/sandbox.h"
#include "dm-glue/sandbox_check.h"
#include "dm-glue/sandbox_filter.h"

/* Of this process alone: another run of the tests beside this one must not be touched. */
#define TEST_UID ((uid_t)(61000 + getpid() % 900))

static void *thread(void *arg)
{
	*(int *)arg = 1;
	return NULL;
}

/* Runs in a child under the filter; the number of the first thing that is not as it should be. */
static int inside_filter(void)
{
	static const char other[] = "/bin/true";
	char *argv[] = { "true", NULL };
	pthread_t t;
	int ran = 0;

	if (fork() != -1 || errno != EPERM) {
		return 1;
	}
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS) {
		return 2;
	}
	if (pthread_create(&t, NULL, thread, &ran) != 0 || pthread_join(t, NULL) != 0 || !ran) {
		return 3;
	}
	if (syscall(SYS_unshare, 0) != -1 || errno != EPERM) {
		return 4;
	}
	if (syscall(SYS_execve, other, argv, NULL) != -1 || errno != EPERM) {
		return 5;
	}
	if (syscall(SYS_clone, 0x10000000 | SIGCHLD, 0, 0, 0, 0) != -1 || errno != EPERM) {
		return 6;
	}
	if (setuid(getuid()) != -1 || errno != EPERM) {
		return 7;
	}
	if (getpid() <= 0 || write(1, "", 0) != 0) {
		return 8;
	}
	return 0;
}

START_TEST(test_filter)
{
	static const char path[] = "/bin/true";
	struct sock_filter prog[SANDBOX_FILTER_MAX];
	int status;

	ck_assert_uint_le(sandbox_filter_build(prog, path), SANDBOX_FILTER_MAX);
	pid_t pid = fork();
	if (pid == 0) {
		char *argv[] = { "true", NULL };

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sandbox_filter_install(path) < 0) {
			_exit(100);
		}
		int rc = inside_filter();
		if (rc != 0) {
			_exit(rc);
		}
		/* The address is what counts: this one is allowed. */
		syscall(SYS_execve, path, argv, NULL);
		_exit(101);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
}
END_TEST

static char root_dir[] = "/tmp/test-sandbox-XXXXXX";

static int spawn(char *const argv[], int log_fd, const int *keep, size_t nr_keep,
		 struct sandbox_child *child, char *error, size_t size)
{
	struct sandbox sb = {
		.uid = TEST_UID, .root_dir = root_dir, .exec_path = argv[0], .argv = argv,
		.keep = keep, .nr_keep = nr_keep, .log_fd = log_fd,
	};

	return sandbox_spawn(&sb, child, error, size);
}

START_TEST(test_exec_failure_is_reported)
{
	char *argv[] = { "/usr/nosuch", NULL };
	struct sandbox_child child;
	char error[200] = "";
	int null = open("/dev/null", O_WRONLY);

	ck_assert_ptr_nonnull(mkdtemp(root_dir));
	ck_assert_int_eq(spawn(argv, null, NULL, 0, &child, error, sizeof(error)), -ENOENT);
	ck_assert_str_eq(error, "/usr/nosuch: No such file or directory");
	ck_assert_int_eq(child.pid, -1);
	rmdir(root_dir);
	close(null);
}
END_TEST

/* What /usr/bin/ls sees in its /proc/self/fd: standard descriptors, the one kept, its own. */
START_TEST(test_descriptors)
{
	char *argv[] = { "/usr/bin/ls", "/proc/self/fd", NULL };
	struct sandbox_child child;
	char error[200] = "", text[512] = "";
	int out[2], status;

	ck_assert_ptr_nonnull(mkdtemp(root_dir));
	ck_assert_int_eq(pipe(out), 0);
	int kept = fcntl(open("/dev/null", O_RDWR), F_DUPFD, 50);
	int not_kept = fcntl(kept, F_DUPFD, 60);
	ck_assert_int_eq(not_kept, 60);
	int rc = spawn(argv, out[1], &kept, 1, &child, error, sizeof(error));
	ck_assert_msg(rc == 0, "%s", error);
	close(out[1]);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	size_t n = 0;
	for (ssize_t got; (got = read(out[0], text + n, sizeof(text) - 1 - n)) > 0;) {
		n += (size_t)got;
	}
	/* Remarks of the sandbox, if any, come first. */
	ck_assert_msg(strstr(text, "0\n1\n2\n3\n50\n") != NULL, "%s", text);
	ck_assert_ptr_null(strstr(text, "60"));
	rmdir(root_dir);
}
END_TEST

START_TEST(test_parse)
{
	struct sandbox_check_status st;

	sandbox_check_parse("Name:\tx\nUid:\t5\t6\t7\t8\nGid:\t1\t2\t3\t4\nCapInh:\t0\nCapPrm:\t00ff\n"
			    "CapEff:\t1\nCapBnd:\t1ffffffffff\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n"
			    "Seccomp_filters:\t1\n", &st);
	ck_assert(st.complete);
	ck_assert_uint_eq(st.uid[3], 8);
	ck_assert_uint_eq(st.gid[0], 1);
	ck_assert_uint_eq(st.cap_prm, 0xff);
	ck_assert_uint_eq(st.cap_bnd, 0x1ffffffffff);
	ck_assert_uint_eq(st.seccomp, 2);
	sandbox_check_parse("Uid:\t5\t6\t7\n", &st);
	ck_assert(!st.complete);
}
END_TEST

/* All of it, as root in a place that allows it; elsewhere the check must say what is missing. */
START_TEST(test_check)
{
	char *argv[] = { "/usr/bin/yes", "!!!", NULL };
	struct sandbox_child child;
	char error[200] = "";
	FILE *to = tmpfile();
	int out[2], in_a_row = 0;

	ck_assert_ptr_nonnull(mkdtemp(root_dir));
	ck_assert_int_eq(pipe(out), 0);
	int rc = spawn(argv, out[1], NULL, 0, &child, error, sizeof(error));
	if (geteuid() == 0 && rc < 0 && unshare(CLONE_NEWNS) < 0) {
		printf("no namespaces here (%s): sandbox_check not tried\n", error);
		return;
	}
	ck_assert_msg(rc == 0, "%s", error);
	/* Once it writes (after remarks of the sandbox), it needs no more of its libraries; the full pipe stops it. */
	for (char byte; in_a_row < 3; in_a_row = byte == '!' ? in_a_row + 1 : 0) {
		ck_assert_int_eq(read(out[0], &byte, 1), 1);
	}
	ck_assert_int_eq(sandbox_strip(child.pid), 0);
	int missing = sandbox_check(child.pid, to);
	if (geteuid() == 0) {
		char line[512];

		rewind(to);
		while (missing != 0 && fgets(line, sizeof(line), to)) {
			fputs(line, stderr);
		}
		ck_assert_int_eq(missing, 0);
		ck_assert_uint_eq(sandbox_kill_uid(TEST_UID), 1);
	} else {
		ck_assert_int_gt(missing, 0);
		kill(child.pid, SIGKILL);
	}
	waitpid(child.pid, NULL, 0);
	ck_assert_int_gt(sandbox_check(getpid(), to), 0);
	ck_assert_int_eq(sandbox_check(0x3fffffff, to), -ESRCH);
	fclose(to);
	close(out[0]);
	close(out[1]);
	rmdir(root_dir);
}
END_TEST

START_TEST(test_uid)
{
	ck_assert_uint_eq(sandbox_uid(8) - sandbox_uid(1), 7);
	ck_assert_uint_ne(sandbox_uid(1), 0);
	ck_assert_uint_eq(sandbox_kill_uid(0), 0);
}
END_TEST

START_TEST(test_seccomp_probe)
{
	ck_assert(!sandbox_qemu_has_seccomp("/usr/bin/true"));
	ck_assert(!sandbox_qemu_has_seccomp("/nosuch"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("sandbox");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_filter);
	tcase_add_test(tc, test_exec_failure_is_reported);
	tcase_add_test(tc, test_descriptors);
	tcase_add_test(tc, test_parse);
	tcase_add_test(tc, test_check);
	tcase_add_test(tc, test_uid);
	tcase_add_test(tc, test_seccomp_probe);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
