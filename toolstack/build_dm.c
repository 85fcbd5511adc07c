/*
 * Starting the supervisor of a guest's device model, and ending it. See build.h; the contract with
 * the supervisor is in lib/rundir.h.
 */
#include "toolstack/build.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/rundir.h"

#define BUILD_DM_LINE_MAX 200
#define BUILD_DM_STOP_MS  15000

static const char *build_dm_program(void)
{
	const char *path = secure_getenv("OSTLER_DM");

	return path != NULL ? path : OSTLER_LIBEXECDIR "/ostler-dm";
}

/* In the child: become the supervisor. Only async-signal-safe work but for the argument strings. */
static void build_dm_exec(const char *domid, const char *xml, const char *dir, int status_fd,
			  bool paused)
{
	char fd[16];
	char logpath[160];
	int null_fd;
	int log_fd;

	snprintf(fd, sizeof(fd), "%d", status_fd);
	snprintf(logpath, sizeof(logpath), "%s/%s", dir, RUNDIR_DMLOG);
	setsid();
	null_fd = open("/dev/null", O_RDWR);
	log_fd = open(logpath, O_WRONLY | O_CREAT | O_APPEND, 0640);
	if (null_fd < 0 || log_fd < 0) {
		_exit(126);
	}
	dup2(null_fd, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	fcntl(status_fd, F_SETFD, 0);
	if (paused) {
		execl(build_dm_program(), "ostler-dm", "--domid", domid, "--config", xml,
		      "--run-dir", dir, "--status-fd", fd, "--paused", (char *)NULL);
	} else {
		execl(build_dm_program(), "ostler-dm", "--domid", domid, "--config", xml,
		      "--run-dir", dir, "--status-fd", fd, (char *)NULL);
	}
	dprintf(status_fd, "error: cannot start %s: %s\n", build_dm_program(), strerror(errno));
	_exit(127);
}

static int64_t build_dm_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One line from the supervisor within the time. Result: 0, -ETIMEDOUT, -EPIPE (it died), -errno. */
static int build_dm_line(int fd, int timeout_ms, char *line, size_t size)
{
	int64_t end = build_dm_now_ms() + timeout_ms;
	size_t at = 0;

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int64_t left = end - build_dm_now_ms();
		ssize_t got;
		int n;

		if (left <= 0) {
			return -ETIMEDOUT;
		}
		n = poll(&pfd, 1, (int)left);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n <= 0) {
			continue;
		}
		got = read(fd, line + at, size - 1 - at);
		if (got <= 0) {
			line[at] = '\0';
			return got == 0 ? -EPIPE : -errno;
		}
		at += (size_t)got;
		line[at] = '\0';
		if (strchr(line, '\n') != NULL || at == size - 1) {
			line[strcspn(line, "\n")] = '\0';
			return 0;
		}
	}
}

static int build_dm_wait_ready(struct build *b, int fd)
{
	char line[BUILD_DM_LINE_MAX];
	char text[BUILD_DM_LINE_MAX + 32];
	int rc = build_dm_line(fd, b->opts.dm_timeout_ms, line, sizeof(line));

	if (rc == -ETIMEDOUT) {
		snprintf(text, sizeof(text), "the device model is not ready after %d s",
			 b->opts.dm_timeout_ms / 1000);
		return build_fail_text(b, rc, text);
	}
	if (rc != 0) {
		return build_fail(b, rc, "the device model's supervisor died");
	}
	if (strcmp(line, "ready") != 0) {
		snprintf(text, sizeof(text), "device model: %s",
			 strncmp(line, "error: ", 7) == 0 ? line + 7 : line);
		return build_fail_text(b, -EIO, text);
	}
	return 0;
}

/* End a process that we started: ask, wait, insist. */
static void build_dm_stop(int pid)
{
	int64_t end = build_dm_now_ms() + BUILD_DM_STOP_MS;

	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		struct timespec nap = {.tv_nsec = 20 * 1000 * 1000};

		if (build_dm_now_ms() > end) {
			/* Its whole session: QEMU must not outlive it. */
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return;
		}
		nanosleep(&nap, NULL);
	}
}

static int build_dm_record(struct build *b)
{
	char path[64];

	snprintf(path, sizeof(path), RUNDIR_XS_BASE "/%u/" RUNDIR_XS_DM_PID, b->domid);
	return store_writef(b->st, path, "%d", b->dm_pid);
}

int build_dm_start(struct build *b)
{
	char dir[128];
	char xml[128];
	char domid[16];
	int fds[2];
	int rc;

	if (b->opts.no_device_model) {
		return 0;
	}
	rc = rundir_path(b->domid, NULL, dir, sizeof(dir));
	if (rc == 0) {
		rc = build_xml_path(b->cfg->uuid, xml, sizeof(xml));
	}
	if (rc != 0 || pipe2(fds, O_CLOEXEC) != 0) {
		return build_fail(b, rc != 0 ? rc : -errno, "cannot start the device model");
	}
	snprintf(domid, sizeof(domid), "%u", b->domid);
	b->dm_pid = fork();
	if (b->dm_pid == 0) {
		build_dm_exec(domid, xml, dir, fds[1], b->opts.paused);
	}
	close(fds[1]);
	if (b->dm_pid < 0) {
		rc = build_fail(b, -errno, "cannot start the device model");
		b->dm_pid = 0;
		goto close_pipe;
	}
	rc = build_dm_record(b);
	if (rc == 0) {
		rc = build_dm_wait_ready(b, fds[0]);
	}
	if (rc != 0) {
		build_dm_stop(b->dm_pid);
		b->dm_pid = 0;
	}
close_pipe:
	close(fds[0]);
	return rc;
}

void build_dm_undo(struct build *b)
{
	if (b->dm_pid > 0) {
		build_dm_stop(b->dm_pid);
		b->dm_pid = 0;
	}
}
