/* The QEMU process of a supervisor: its output and its end. Contract: supervisor.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dm-glue/qmp_cmds.h"
#include "dm-glue/supervisor.h"

#define QUIT_TIMEOUT_MS 5000 /* it flushes its images */
#define TERM_TIMEOUT_MS 2000

/* ---- QEMU's output ---- */

/* Remembers the last line for error messages; control characters are not for terminals. */
static void remember_line(struct supervisor *sv, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			sv->last_line[sv->last_len] = '\0';
			sv->last_len = 0;
		} else if (sv->last_len < sizeof(sv->last_line) - 1) {
			sv->last_line[sv->last_len++] =
				bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
		}
	}
}

static void drain_log(struct supervisor *sv)
{
	char buf[4096];
	ssize_t n = -1;

	while (sv->log_pipe >= 0 && (n = read(sv->log_pipe, buf, sizeof(buf))) > 0) {
		logfile_write(&sv->log, buf, (size_t)n);
		remember_line(sv, buf, (size_t)n);
	}
	if (sv->log_pipe >= 0 && n == 0) {
		close(sv->log_pipe);
		sv->log_pipe = -1;
	}
}

static void drain_sink(struct resources_sink *sink)
{
	char buf[8192];
	ssize_t n = -1;

	while (sink->fd >= 0 && (n = read(sink->fd, buf, sizeof(buf))) > 0) {
		logfile_write(&sink->file, buf, (size_t)n);
	}
	if (sink->fd >= 0 && n == 0) {
		close(sink->fd);
		sink->fd = -1;
	}
}

void qemu_proc_drain(struct supervisor *sv)
{
	drain_log(sv);
	for (unsigned int i = 0; i < sv->res.nr_sinks; i++) {
		drain_sink(&sv->res.sinks[i]);
	}
}

/* ---- QEMU's end ---- */

bool qemu_proc_reap(struct supervisor *sv, int timeout_ms, char *how, size_t size)
{
	struct pollfd pfd = { .fd = sv->qemu.pidfd, .events = POLLIN };
	int status;

	if (sv->qemu.pid < 0) {
		return true;
	}
	if (poll(&pfd, 1, timeout_ms) <= 0 || waitpid(sv->qemu.pid, &status, WNOHANG) != sv->qemu.pid) {
		return false;
	}
	if (WIFSIGNALED(status)) {
		snprintf(how, size, "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	} else {
		snprintf(how, size, "exited with status %d", WEXITSTATUS(status));
	}
	close(sv->qemu.pidfd);
	sv->qemu = (struct sandbox_child){ .pid = -1, .pidfd = -1 };
	return true;
}

void qemu_proc_stop(struct supervisor *sv)
{
	char how[96] = "";

	if (sv->qemu.pid < 0) {
		return;
	}
	bool gone = sv->qmp.fd >= 0 && qmp_quit(&sv->qmp) == 0 &&
		    qemu_proc_reap(sv, QUIT_TIMEOUT_MS, how, sizeof(how));
	if (!gone) {
		kill(sv->qemu.pid, SIGTERM);
		gone = qemu_proc_reap(sv, TERM_TIMEOUT_MS, how, sizeof(how));
	}
	if (!gone) {
		kill(sv->qemu.pid, SIGKILL);
		gone = qemu_proc_reap(sv, -1, how, sizeof(how));
	}
	qemu_proc_drain(sv);
	logfile_line(&sv->log, "QEMU %s", how);
}
