/*
 * dm-glue/supervise.c, start.c, qemu_proc.c: a whole supervisor in a process of its own, with a hypervisor, a
 * xenstore, a policy and a QEMU made of the functions below. What they are asked is written to shared memory.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/sched.h>
#include "dm-glue/sandbox.h"
#include "toolstack/lib/dm_cgroup.h"
#include "dm-glue/supervise.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/store.h"
#include "toolstack/life.h"

enum qemu_mode {
	QEMU_GOOD,
	QEMU_EXITS_AT_START,
	QEMU_NEVER_GREETS,
	QEMU_DEAF,	/* greets and runs, then ignores quit and SIGTERM */
	QEMU_GARBAGE,	/* sends nonsense once it runs */
	QEMU_NOT_RUNNING, /* state never "running", then exits */
};

/* Between the test, the supervisor and its QEMU. */
struct shared {
	enum qemu_mode mode;
	pid_t qemu;
	int info_rc;		/* what hvdom_info() says */
	bool dying, shutdown;
	unsigned int code;
	unsigned int paused, life_calls, quits, stripped;
	enum life_end_kind kind;
	char log[8192];		/* nodes written and removed, one a line */
};

static struct shared *sh;
static int watch_pipe[2];
static char dir[64];

static void note(const char *what, const char *path, const char *value)
{
	size_t n = strlen(sh->log);

	snprintf(sh->log + n, sizeof(sh->log) - n, "%s %s %s\n", what, path, value);
}

/* ---- the hypervisor ---- */

int hvcall_open(struct hvcall *hv)
{
	*hv = (struct hvcall){ 0 };
	return 0;
}

void hvcall_close(struct hvcall *hv)
{
}

int hvdom_info(struct hvcall *hv, uint32_t domid, struct hvdom_info *info)
{
	*info = (struct hvdom_info){
		.domid = domid, .hvm = true, .dying = sh->dying, .shutdown = sh->shutdown,
		.shutdown_code = sh->code,
	};
	return sh->info_rc;
}

int hvdom_pause(struct hvcall *hv, uint32_t domid)
{
	sh->paused++;
	return 0;
}

xenforeignmemory_handle *xenforeignmemory_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return NULL;
}

int xenforeignmemory_restrict(xenforeignmemory_handle *fmem, domid_t domid)
{
	return -1;
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
	return 0;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
	return NULL;
}

int xenevtchn_restrict(xenevtchn_handle *xce, domid_t domid)
{
	return -1;
}

int xenevtchn_close(xenevtchn_handle *xce)
{
	return 0;
}

/* ---- xenstore ---- */

int store_open(struct store *st)
{
	*st = (struct store){ .xs = (struct xs_handle *)dir };
	return 0;
}

void store_close(struct store *st)
{
}

int store_write(struct store *st, const char *path, const char *value)
{
	note("write", path, value);
	return 0;
}

int store_writef(struct store *st, const char *path, const char *fmt, ...)
{
	char value[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	note("write", path, value);
	return 0;
}

int store_mkdir(struct store *st, const char *path, uint32_t domid, bool guest_writes)
{
	note("mkdir", path, "");
	return 0;
}

int store_remove(struct store *st, const char *path)
{
	note("remove", path, "");
	return 0;
}

int store_wait(struct store *st, const char *path, const char *value, int timeout_ms)
{
	note("wait", path, value);
	return 0;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	note("watch", path, "");
	return true;
}

int xs_fileno(struct xs_handle *h)
{
	return watch_pipe[0];
}

char **xs_check_watch(struct xs_handle *h)
{
	char byte;

	return read(watch_pipe[0], &byte, 1) == 1 ? calloc(3, sizeof(char *)) : NULL;
}

/* ---- the configuration and the policy ---- */

int config_load_file(const char *path, struct guest_config **out, struct config_diags *diags)
{
	struct guest_config *cfg = calloc(1, sizeof(*cfg));

	cfg->name = strdup("guest/x");
	cfg->memory_kib = 65536;
	cfg->max_vcpus = cfg->vcpus = 1;
	cfg->graphics = (struct config_graphics){
		.type = CONFIG_GFX_VNC, .port = -1, .passwd = strdup("secret"),
	};
	cfg->serials[0].type = CONFIG_CHR_PTY;
	cfg->serials[1] = (struct config_chardev){ .type = CONFIG_CHR_FILE, .port = 1 };
	if (asprintf(&cfg->serials[1].path, "%s/com2", dir) < 0) {
		return -ENOMEM;
	}
	cfg->nr_serials = 2;
	*out = cfg;
	return 0;
}

void config_diags_free(struct config_diags *diags)
{
}

void config_free(struct guest_config *cfg)
{
	if (cfg != NULL) {
		free(cfg->name);
		free(cfg->graphics.passwd);
		free(cfg->serials[1].path);
		free(cfg);
	}
}

enum life_end_kind life_kind_of_code(unsigned int shutdown_code)
{
	return shutdown_code == SHUTDOWN_suspend ? LIFE_SUSPEND :
	       shutdown_code == SHUTDOWN_crash	 ? LIFE_CRASH :
						   LIFE_POWEROFF;
}

enum life_verdict life_decide(const struct guest_config *cfg, enum life_end_kind kind,
			      unsigned int alive_seconds)
{
	return LIFE_DO_DESTROY;
}

int life_end(uint32_t domid, const struct guest_config *cfg, const char *xml_path,
	     enum life_end_kind kind, unsigned int alive_seconds)
{
	sh->life_calls++;
	sh->kind = kind;
	/* By now QEMU must be gone. */
	ck_assert(kill(sh->qemu, 0) < 0 && errno == ESRCH);
	return 0;
}

const char *life_kind_name(enum life_end_kind kind)
{
	return "kind";
}

const char *life_verdict_name(enum life_verdict verdict)
{
	return "verdict";
}

/* ---- QEMU ---- */

static int fd_of(char *const argv[], const char *prefix)
{
	for (; *argv; argv++) {
		if (strncmp(*argv, prefix, strlen(prefix)) == 0) {
			return atoi(*argv + strlen(prefix));
		}
	}
	return -1;
}

static void answer(int fd, const char *line)
{
	const char *id = strstr(line, "\"id\":");
	char text[512];
	const char *value = "{}";

	if (strstr(line, "query-status")) {
		value = sh->mode == QEMU_NOT_RUNNING ? "{\"running\":false,\"status\":\"prelaunch\"}" :
						       "{\"running\":true,\"status\":\"running\"}";
	} else if (strstr(line, "query-chardev")) {
		value = "[{\"label\":\"serial0\",\"filename\":\"pty:/dev/pts/77\"}]";
	} else if (strstr(line, "\"quit\"")) {
		sh->quits++;
		if (sh->mode == QEMU_DEAF) {
			return;
		}
	}
	snprintf(text, sizeof(text), "{\"event\":\"E\"}\r\n{\"return\":%s,\"id\":%d}\r\n", value,
		 atoi(id + 5));
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 || strstr(line, "\"quit\"")) {
		_exit(0);
	}
	if (sh->mode == QEMU_GARBAGE && strstr(line, "query-chardev")) {
		usleep(300000);
		send(fd, "}{\n", 3, MSG_NOSIGNAL);
	}
	if (sh->mode == QEMU_NOT_RUNNING) {
		dprintf(2, "cannot go on\x1b\n");
		_exit(3);
	}
}

static _Noreturn void qemu_main(const struct sandbox *sb)
{
	static const char hello[] = "{\"QMP\":{\"version\":{\"qemu\":{\"major\":7}},\"capabilities\":[]}}\r\n";
	char line[2048];
	int serial = fd_of(sb->argv, "file,id=serial1,path=/dev/fdset/");

	dup2(sb->log_fd, 2);
	/* As exec would. */
	for (int fd = 3; fd < 256; fd++) {
		bool keep = false;

		for (size_t i = 0; i < sb->nr_keep; i++) {
			keep |= sb->keep[i] == fd;
		}
		if (!keep) {
			close(fd);
		}
	}
	if (sh->mode == QEMU_EXITS_AT_START) {
		dprintf(2, "first line\nno such device\n");
		_exit(1);
	}
	if (sh->mode == QEMU_DEAF) {
		signal(SIGTERM, SIG_IGN);
	} else {
		signal(SIGTERM, SIG_DFL);
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
	}
	if (write(serial, "from the guest\n", 15) != 15) {
		_exit(9);
	}
	int listener = fd_of(sb->argv, "socket,id=qmp,fd=");
	int fd = accept(listener, NULL, NULL);
	if (sh->mode == QEMU_NEVER_GREETS || send(fd, hello, strlen(hello), 0) < 0) {
		pause();
	}
	for (;;) {
		ssize_t n = recv(fd, line, sizeof(line) - 1, 0);

		if (n <= 0) {
			pause();
		}
		line[n] = '\0';
		answer(fd, line);
	}
}

uid_t sandbox_uid(uint32_t domid)
{
	return 60000;
}

unsigned int sandbox_kill_uid(uid_t uid)
{
	return 0;
}

bool sandbox_qemu_has_seccomp(const char *exec_path)
{
	return false;
}

int dm_cgroup_join(const char *base, uint32_t domid, pid_t pid)
{
	return -ENODEV;
}

void dm_cgroup_remove(const char *base, uint32_t domid)
{
}

int sandbox_strip(pid_t pid)
{
	sh->stripped++;
	return 0;
}

int sandbox_spawn(const struct sandbox *sb, struct sandbox_child *child, char *error, size_t size)
{
	child->pid = fork();
	if (child->pid == 0) {
		qemu_main(sb);
	}
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	sh->qemu = child->pid;
	return 0;
}

/* ---- the test's side ---- */

static pid_t supervisor;
static int report_fd;
static char report[700];

static void setup(void)
{
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(dir, "/tmp/test-supervise-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(pipe2(watch_pipe, O_NONBLOCK), 0);
}

static void teardown(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void launch(enum qemu_mode mode)
{
	int ends[2];
	char run[80], logs[80];

	sh->mode = mode;
	snprintf(run, sizeof(run), "%s/7", dir);
	snprintf(logs, sizeof(logs), "%s/log", dir);
	ck_assert_int_eq(pipe(ends), 0);
	supervisor = fork();
	if (supervisor == 0) {
		struct supervise_options opt = {
			.domid = 7, .document = "guest.xml", .run_dir = run, .log_dir = logs,
			.report_fd = ends[1],
		};

		close(ends[0]);
		exit(supervise(&opt));
	}
	close(ends[1]);
	report_fd = ends[0];
}

static void read_report(void)
{
	size_t n = 0;

	for (ssize_t got; (got = read(report_fd, report + n, sizeof(report) - 1 - n)) > 0;) {
		n += (size_t)got;
	}
	report[n] = '\0';
	close(report_fd);
}

static int wait_exit(void)
{
	int status;

	ck_assert_int_eq(waitpid(supervisor, &status, 0), supervisor);
	ck_assert_msg(WIFEXITED(status), "status %x", status);
	return WEXITSTATUS(status);
}

static void ring(void)
{
	ck_assert_int_eq(write(watch_pipe[1], "x", 1), 1);
}

static bool log_has(const char *text)
{
	char path[100], buf[16384];

	snprintf(path, sizeof(path), "%s/log/guest_x.log", dir);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
	fclose(f);
	return strstr(buf, text) != NULL;
}

static bool exists(const char *name)
{
	char path[120];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

/* The run directory holds nothing but the link to the log. */
static void is_clean(void)
{
	ck_assert(!exists("7/qmp"));
	ck_assert(!exists("7/qmp.sock"));
	ck_assert(!exists("7/supervisor.pid"));
	ck_assert(kill(sh->qemu, 0) < 0);
	ck_assert_ptr_nonnull(strstr(sh->log, "remove /local/domain/0/device-model/7"));
}

START_TEST(test_power_off)
{
	launch(QEMU_GOOD);
	read_report();
	ck_assert_str_eq(report, "ready\n");
	ck_assert_uint_eq(sh->stripped, 1);
	ck_assert_ptr_nonnull(strstr(sh->log, "wait /local/domain/0/device-model/7/state running"));
	ck_assert_ptr_nonnull(strstr(sh->log, "write /local/domain/7/serial/0/tty /dev/pts/77"));
	ck_assert_ptr_nonnull(strstr(sh->log, "write /local/domain/7/console/vnc-port 5"));
	ck_assert_ptr_nonnull(strstr(sh->log, "write /local/domain/7/image/device-model-pid "));
	ck_assert(exists("7/qmp"));
	/* Suspended is no end. */
	sh->code = SHUTDOWN_suspend;
	sh->shutdown = true;
	ring();
	usleep(300000);
	ck_assert_uint_eq(sh->life_calls, 0);
	sh->code = SHUTDOWN_poweroff;
	ring();
	ck_assert_int_eq(wait_exit(), 0);
	ck_assert_uint_eq(sh->quits, 1);
	ck_assert_uint_eq(sh->life_calls, 1);
	ck_assert_uint_eq(sh->kind, LIFE_POWEROFF);
	ck_assert_uint_eq(sh->paused, 0);
	ck_assert(log_has("event E"));
	ck_assert(!log_has("secret"));
	is_clean();
	char path[80], text[64] = "";
	snprintf(path, sizeof(path), "%s/com2", dir);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	fclose(f);
	ck_assert_str_eq(text, "from the guest\n");
}
END_TEST

START_TEST(test_qemu_killed)
{
	launch(QEMU_GOOD);
	read_report();
	kill(sh->qemu, SIGKILL);
	ck_assert_int_eq(wait_exit(), 0);
	ck_assert_uint_eq(sh->life_calls, 1);
	ck_assert_uint_eq(sh->kind, LIFE_DM_DIED);
	ck_assert_uint_eq(sh->paused, 1);
	ck_assert(log_has("was killed by signal 9"));
	ck_assert_ptr_nonnull(strstr(sh->log, "image/exit-reason QEMU was killed by signal 9"));
	is_clean();
}
END_TEST

START_TEST(test_domain_destroyed)
{
	launch(QEMU_GOOD);
	read_report();
	/* Nobody rings: the supervisor looks by itself. */
	sh->info_rc = -ESRCH;
	ck_assert_int_eq(wait_exit(), 0);
	ck_assert_uint_eq(sh->kind, LIFE_GONE);
	ck_assert_uint_eq(sh->quits, 1);
	is_clean();
}
END_TEST

START_TEST(test_told_to_stop)
{
	launch(QEMU_GOOD);
	read_report();
	kill(supervisor, SIGTERM);
	ck_assert_int_eq(wait_exit(), 0);
	ck_assert_uint_eq(sh->life_calls, 0);
	ck_assert_uint_eq(sh->paused, 0);
	is_clean();
}
END_TEST

START_TEST(test_deaf_qemu)
{
	launch(QEMU_DEAF);
	read_report();
	ck_assert_str_eq(report, "ready\n");
	sh->dying = true;
	ring();
	ck_assert_int_eq(wait_exit(), 0);
	ck_assert(log_has("QEMU was killed by signal 9"));
	is_clean();
}
END_TEST

START_TEST(test_garbage_on_the_monitor)
{
	launch(QEMU_GARBAGE);
	read_report();
	ck_assert_str_eq(report, "ready\n");
	ck_assert_int_eq(wait_exit(), 0);
	ck_assert_uint_eq(sh->kind, LIFE_DM_DIED);
	ck_assert(log_has("not a QMP message"));
	is_clean();
}
END_TEST

START_TEST(test_qemu_exits_at_start)
{
	launch(QEMU_EXITS_AT_START);
	read_report();
	ck_assert_str_eq(report, "error: QEMU exited with status 1: no such device\n");
	ck_assert_int_eq(wait_exit(), 1);
	ck_assert_uint_eq(sh->life_calls, 0);
	is_clean();
}
END_TEST

START_TEST(test_qemu_does_not_run)
{
	launch(QEMU_NOT_RUNNING);
	read_report();
	/* What QEMU prints is shown without its control characters. */
	ck_assert_str_eq(report, "error: QEMU exited with status 3: cannot go on?\n");
	ck_assert_int_eq(wait_exit(), 1);
	is_clean();
}
END_TEST

START_TEST(test_stop_while_starting)
{
	launch(QEMU_NEVER_GREETS);
	for (int i = 0; i < 200 && !sh->qemu; i++) {
		usleep(10000);
	}
	usleep(100000);
	kill(supervisor, SIGTERM);
	read_report();
	ck_assert_int_eq(strncmp(report, "error: ", 7), 0);
	ck_assert_int_eq(wait_exit(), 1);
	is_clean();
}
END_TEST

START_TEST(test_one_supervisor_only)
{
	launch(QEMU_GOOD);
	read_report();
	pid_t first = supervisor, qemu = sh->qemu;
	launch(QEMU_GOOD);
	read_report();
	ck_assert_str_eq(report, "error: domain 7 already has a supervisor\n");
	ck_assert_int_eq(wait_exit(), 1);
	ck_assert(kill(qemu, 0) == 0);
	ck_assert(exists("7/supervisor.pid"));
	ck_assert(exists("7/qmp"));
	supervisor = first;
	kill(first, SIGTERM);
	ck_assert_int_eq(wait_exit(), 0);
}
END_TEST

START_TEST(test_no_domain)
{
	sh->info_rc = -ESRCH;
	launch(QEMU_GOOD);
	read_report();
	ck_assert_str_eq(report, "error: domain 7: No such process\n");
	ck_assert_int_eq(wait_exit(), 1);
	ck_assert_int_eq(sh->qemu, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("supervise");
	TCase *tc = tcase_create("supervise");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_power_off);
	tcase_add_test(tc, test_qemu_killed);
	tcase_add_test(tc, test_domain_destroyed);
	tcase_add_test(tc, test_told_to_stop);
	tcase_add_test(tc, test_deaf_qemu);
	tcase_add_test(tc, test_garbage_on_the_monitor);
	tcase_add_test(tc, test_qemu_exits_at_start);
	tcase_add_test(tc, test_qemu_does_not_run);
	tcase_add_test(tc, test_stop_while_starting);
	tcase_add_test(tc, test_one_supervisor_only);
	tcase_add_test(tc, test_no_domain);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
