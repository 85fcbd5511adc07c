/*
 * dm-glue/qmp.c and qmp_cmds.c: against a scripted server over a socket pair (order of replies, events
 * in between, time-outs, descriptors, a server that goes away), and against a real QEMU without a
 * machine.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "dm-glue/qmp_cmds.h"

/* One step of the server: wait for a line that holds `expect`, then send `answer`. */
struct step {
	const char *expect; /* NULL: send at once */
	const char *answer; /* NULL: hang up */
};

struct server {
	int fd;
	const struct step *steps;
	bool failed;
	int got_fd;
	pthread_t thread;
};

static struct server server;
static struct qmp qmp;
static char events[256];

#define HELLO "{\"QMP\":{\"version\":{\"qemu\":{\"major\":7,\"minor\":2,\"micro\":22}},\"capabilities\":[]}}\r\n"
#define GREET { NULL, HELLO }, { "\"qmp_capabilities\",\"id\":1}", "{\"return\":{},\"id\":1}\r\n" }

/* One line from the client; keeps a descriptor that comes along. */
static bool server_read(struct server *s, char *line, size_t size)
{
	size_t n = 0;

	for (;;) {
		char space[CMSG_SPACE(sizeof(int))];
		struct iovec iov = { .iov_base = line + n, .iov_len = size - n - 1 };
		struct msghdr mh = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = space,
			.msg_controllen = sizeof(space),
		};
		ssize_t got = recvmsg(s->fd, &mh, 0);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&mh);

		if (got <= 0) {
			return false;
		}
		if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
			memcpy(&s->got_fd, CMSG_DATA(cmsg), sizeof(int));
		}
		n += (size_t)got;
		line[n] = '\0';
		if (line[n - 1] == '\n') {
			return true;
		}
	}
}

static void *server_main(void *arg)
{
	struct server *s = arg;
	char line[4096];

	for (const struct step *step = s->steps; step->expect || step->answer; step++) {
		if (step->expect &&
		    (!server_read(s, line, sizeof(line)) || !strstr(line, step->expect))) {
			fprintf(stderr, "server: wanted %s got %s\n", step->expect, line);
			s->failed = true;
			break;
		}
		if (step->answer == NULL) {
			break;
		}
		if (send(s->fd, step->answer, strlen(step->answer), MSG_NOSIGNAL) < 0) {
			s->failed = true;
			break;
		}
	}
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

static void on_event(void *ctx, const char *name, yajl_val data)
{
	strcat(strcat(events, name), " ");
}

static void start(const struct step *steps)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	events[0] = '\0';
	qmp_init(&qmp, pair[0], on_event, NULL);
	server = (struct server){ .fd = pair[1], .steps = steps, .got_fd = -1 };
	ck_assert_int_eq(pthread_create(&server.thread, NULL, server_main, &server), 0);
}

static void finish(void)
{
	qmp_close(&qmp);
	pthread_join(server.thread, NULL);
	close(server.fd);
	if (server.got_fd >= 0) {
		close(server.got_fd);
	}
	ck_assert(!server.failed);
}

START_TEST(test_handshake)
{
	static const struct step steps[] = { GREET, { 0 } };

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	ck_assert_str_eq(qmp.version, "7.2.22");
	finish();
}
END_TEST

START_TEST(test_no_greeting)
{
	static const struct step steps[] = { { NULL, "{\"return\":{}}\n" }, { 0 } };

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), -EPROTO);
	finish();
}
END_TEST

START_TEST(test_events_and_late_replies)
{
	static const struct step steps[] = {
		GREET,
		{ "\"stop\",\"id\":2}", "{\"event\":\"STOP\",\"data\":{}}\n" },
		{ NULL, "{\"return\":{},\"id\":99}\n{\"return\":{},\"id\":2}\n{\"event\":\"RESET\"}\n" },
		{ "\"query-status\",\"id\":3}",
		  "{\"return\":{\"running\":false,\"status\":\"paused\"},\"id\":3}\n" },
		{ 0 },
	};
	bool running = true;
	char status[32];

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	ck_assert_int_eq(qmp_stop(&qmp), 0);
	ck_assert_int_eq(qmp_query_status(&qmp, &running, status, sizeof(status)), 0);
	ck_assert(!running);
	ck_assert_str_eq(status, "paused");
	ck_assert_str_eq(events, "STOP RESET ");
	finish();
}
END_TEST

START_TEST(test_error_text)
{
	static const struct step steps[] = {
		GREET,
		{ "\"eject\",\"id\":2,\"arguments\":{\"id\":\"hdc\",\"force\":false}}",
		  "{\"id\":2,\"error\":{\"class\":\"GenericError\",\"desc\":\"Tray is locked\"}}\n" },
		{ 0 },
	};

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	ck_assert_int_eq(qmp_eject(&qmp, "hdc", false), -EREMOTEIO);
	ck_assert_str_eq(qmp.error, "GenericError: Tray is locked");
	finish();
}
END_TEST

START_TEST(test_timeout_then_goes_on)
{
	static const struct step steps[] = {
		GREET,
		{ "\"slow\",\"id\":2}", "{\"event\":\"A\"}\n" },
		{ "\"cont\",\"id\":3}", "{\"return\":{\"late\":1},\"id\":2}\n{\"return\":{},\"id\":3}\n" },
		{ 0 },
	};
	struct qmp_out out;

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	qmp_command(&qmp, &out, "slow");
	ck_assert_int_eq(qmp_call(&qmp, &out, -1, 100, NULL), -ETIMEDOUT);
	ck_assert_int_eq(qmp_cont(&qmp), 0);
	ck_assert_str_eq(events, "A ");
	finish();
}
END_TEST

START_TEST(test_hang_up)
{
	static const struct step steps[] = { GREET, { "\"quit\"", NULL }, { 0 } };

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	ck_assert_int_eq(qmp_quit(&qmp), -EPIPE);
	ck_assert_int_eq(qmp_pump(&qmp), -EPIPE);
	finish();
}
END_TEST

START_TEST(test_pump)
{
	static const struct step steps[] = {
		GREET, { NULL, "{\"event\":\"B\"}\n{\"event\":\"C\"}\n" }, { 0 },
	};

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	pthread_join(server.thread, NULL);
	/* The server has hung up by now: both events, then the end. */
	int rc = qmp_pump(&qmp);
	ck_assert_int_eq(rc, -EPIPE);
	ck_assert_str_eq(events, "B C ");
	qmp_close(&qmp);
	close(server.fd);
}
END_TEST

START_TEST(test_nonsense_ends_the_session)
{
	static const struct step steps[] = { GREET, { "\"stop\"", "what?\n" }, { 0 } };

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	ck_assert_int_eq(qmp_stop(&qmp), -EPROTO);
	ck_assert_int_eq(qmp_stop(&qmp), -EPROTO);
	finish();
}
END_TEST

START_TEST(test_ptys)
{
	static const char list[] =
		"{\"return\":[{\"label\":\"qmp\",\"filename\":\"unix:x\",\"frontend-open\":true},"
		"{\"label\":\"serial0\",\"filename\":\"pty:/dev/pts/5\",\"frontend-open\":true}],\"id\":%d}\n";
	static char answer[4][512];
	static struct step steps[] = {
		GREET,
		{ "\"query-chardev\"", answer[0] }, { "\"query-chardev\"", answer[1] },
		{ "\"query-chardev\"", answer[2] }, { "\"query-chardev\"", answer[3] }, { 0 },
	};
	char path[64];

	for (int i = 0; i < 4; i++) {
		snprintf(answer[i], sizeof(answer[i]), list, i + 2);
	}
	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	ck_assert_int_eq(qmp_query_chardev_pty(&qmp, "serial0", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/dev/pts/5");
	ck_assert_int_eq(qmp_query_chardev_pty(&qmp, "qmp", path, sizeof(path)), -ENODATA);
	ck_assert_int_eq(qmp_query_chardev_pty(&qmp, "serial1", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(qmp_query_chardev_pty(&qmp, "serial0", path, 5), -EPROTO);
	finish();
}
END_TEST

START_TEST(test_change_medium_passes_the_file)
{
	static const struct step steps[] = {
		GREET,
		{ "{\"execute\":\"add-fd\",\"id\":2}", "{\"return\":{\"fd\":9,\"fdset-id\":4},\"id\":2}\n" },
		{ "\"arguments\":{\"id\":\"hdc\",\"filename\":\"/dev/fdset/4\",\"format\":\"raw\","
		  "\"read-only-mode\":\"read-only\"}}", "{\"return\":{},\"id\":3}\n" },
		{ "\"remove-fd\",\"id\":4,\"arguments\":{\"fdset-id\":4}}", "{\"return\":{},\"id\":4}\n" },
		{ 0 },
	};
	int fd = open("/dev/null", O_RDONLY);
	struct stat theirs, ours;

	start(steps);
	ck_assert_int_eq(qmp_handshake(&qmp, 5000), 0);
	ck_assert_int_eq(qmp_change_medium(&qmp, "hdc", fd, "raw", true), 0);
	ck_assert_int_ge(server.got_fd, 0);
	ck_assert_int_eq(fstat(server.got_fd, &theirs), 0);
	ck_assert_int_eq(fstat(fd, &ours), 0);
	ck_assert(theirs.st_rdev == ours.st_rdev);
	close(fd);
	finish();
}
END_TEST

/* ---- a real QEMU ---- */

#define REAL_QEMU "/usr/bin/qemu-system-x86_64"

static pid_t start_qemu(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		char arg[160];

		snprintf(arg, sizeof(arg), "unix:%s,server=on,wait=off", path);
		execl(REAL_QEMU, REAL_QEMU, "-machine", "none", "-nodefaults", "-display", "none",
		      "-chardev", "pty,id=serial0", "-vnc", "none", "-qmp", arg, (char *)NULL);
		_exit(127);
	}
	return pid;
}

START_TEST(test_real_qemu)
{
	char dir[] = "/tmp/test-qmp-XXXXXX";
	char path[64], tty[64];
	bool running = false;
	int rc = -1, status;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/qmp", dir);
	pid_t pid = start_qemu(path);
	for (int i = 0; i < 200 && rc < 0; i++) {
		usleep(50000);
		rc = qmp_connect(&qmp, path, on_event, NULL);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(qmp_handshake(&qmp, 20000), 0);
	ck_assert(qmp.version[0] >= '1' && qmp.version[0] <= '9');
	ck_assert_int_eq(qmp_query_status(&qmp, &running, NULL, 0), 0);
	ck_assert(running);
	ck_assert_int_eq(qmp_stop(&qmp), 0);
	ck_assert_int_eq(qmp_query_status(&qmp, &running, NULL, 0), 0);
	ck_assert(!running);
	ck_assert_int_eq(qmp_cont(&qmp), 0);
	ck_assert_int_eq(qmp_query_chardev_pty(&qmp, "serial0", tty, sizeof(tty)), 0);
	ck_assert_int_eq(strncmp(tty, "/dev/pts/", 9), 0);
	ck_assert_int_eq(qmp_eject(&qmp, "nosuch", false), -EREMOTEIO);
	ck_assert_ptr_nonnull(strstr(qmp.error, "nosuch"));
	ck_assert_int_eq(qmp_quit(&qmp), 0);
	ck_assert_ptr_nonnull(strstr(events, "STOP RESUME"));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	qmp_close(&qmp);
	unlink(path);
	rmdir(dir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("qmp");
	TCase *tc = tcase_create("qmp");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_handshake);
	tcase_add_test(tc, test_no_greeting);
	tcase_add_test(tc, test_events_and_late_replies);
	tcase_add_test(tc, test_error_text);
	tcase_add_test(tc, test_timeout_then_goes_on);
	tcase_add_test(tc, test_hang_up);
	tcase_add_test(tc, test_pump);
	tcase_add_test(tc, test_nonsense_ends_the_session);
	tcase_add_test(tc, test_ptys);
	tcase_add_test(tc, test_change_medium_passes_the_file);
	tcase_add_test(tc, test_real_qemu);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
