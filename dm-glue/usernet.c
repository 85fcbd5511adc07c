/* User-mode networking. Contract: usernet.h. */
#include "dm-glue/usernet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Room for all that a TCP window may hold: what the socket to QEMU does not take is lost. */
#define USERNET_BUFFER (4 << 20)

static void widen(int fd)
{
	int size = USERNET_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0) {
		/* Not as root: what the host allows everybody. */
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
}

int usernet_sockets(int *qemu_fd, int *net_fd)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	widen(pair[0]);
	widen(pair[1]);
	*qemu_fd = pair[0];
	*net_fd = pair[1];
	return 0;
}

static _Noreturn void child_main(int net_fd, uid_t uid, const char *root, int log_fd)
{
	char fd[16], user[16];
	sigset_t none;

	snprintf(fd, sizeof(fd), "%d", net_fd);
	snprintf(user, sizeof(user), "%u", uid);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	/* Everything else of ours is close-on-exec by convention; this makes it certain. */
	syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
	fcntl(net_fd, F_SETFD, 0);
	if (geteuid() == 0) {
		execl(USERNET_PROGRAM, "ostler-usernet", "--fd", fd, "--uid", user, "--root", root, (char *)NULL);
	} else {
		execl(USERNET_PROGRAM, "ostler-usernet", "--fd", fd, (char *)NULL);
	}
	dprintf(STDERR_FILENO, USERNET_PROGRAM ": cannot be started\n");
	_exit(127);
}

int usernet_start(struct usernet *un, int net_fd, uid_t uid, const char *root, int log_fd)
{
	int rc = 0;

	un->pid = 0;
	if (access(USERNET_PROGRAM, X_OK) < 0) {
		rc = -errno;
	} else {
		un->pid = fork();
		if (un->pid == 0) {
			child_main(net_fd, uid, root, log_fd);
		}
		rc = un->pid < 0 ? -errno : 0;
	}
	if (un->pid < 0) {
		un->pid = 0;
	}
	close(net_fd);
	return rc;
}

bool usernet_alive(struct usernet *un)
{
	if (un->pid != 0 && waitpid(un->pid, NULL, WNOHANG) == un->pid) {
		un->pid = 0;
	}
	return un->pid != 0;
}

void usernet_stop(struct usernet *un)
{
	if (!usernet_alive(un)) {
		return;
	}
	kill(un->pid, SIGKILL);
	waitpid(un->pid, NULL, 0);
	un->pid = 0;
}
