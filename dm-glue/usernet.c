/* User-mode networking. Contract: usernet.h. Reference: passt(1). */
#include "dm-glue/usernet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What an Ethernet card of the guest can carry; passt would offer 64 KiB packets. */
#define USERNET_MTU "1500"

int usernet_sockets(int *qemu_fd, int *net_fd)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	*qemu_fd = pair[0];
	*net_fd = pair[1];
	return 0;
}

/*
 * passt confines itself by pivoting its root away, which cannot be done on an initramfs. In mounts of our own, the
 * same tree bound over the root is a root that can be pivoted. Where that fails passt says what it misses.
 */
static void child_root(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("/", "/run", NULL, MS_BIND | MS_REC, NULL) < 0 || chdir("/run") < 0 ||
	    mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0) {
		dprintf(STDERR_FILENO, "passt: no root of its own\n");
	}
}

static _Noreturn void child_main(int net_fd, uid_t uid, int log_fd)
{
	char fd[16], user[32];
	sigset_t none;

	snprintf(fd, sizeof(fd), "%d", net_fd);
	snprintf(user, sizeof(user), "%u:%u", uid, uid);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	/* Everything else of ours is close-on-exec by convention; this makes it certain. */
	syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
	fcntl(net_fd, F_SETFD, 0);
	if (geteuid() == 0) {
		child_root();
		execl(USERNET_PROGRAM, "passt", "--foreground", "--stderr", "--quiet", "--mtu",
		      USERNET_MTU, "--fd", fd, "--runas", user, (char *)NULL);
	} else {
		execl(USERNET_PROGRAM, "passt", "--foreground", "--stderr", "--quiet", "--mtu",
		      USERNET_MTU, "--fd", fd, (char *)NULL);
	}
	dprintf(STDERR_FILENO, USERNET_PROGRAM ": cannot be started\n");
	_exit(127);
}

int usernet_start(struct usernet *un, int net_fd, uid_t uid, int log_fd)
{
	int rc = 0;

	un->pid = 0;
	if (access(USERNET_PROGRAM, X_OK) < 0) {
		rc = -errno;
	} else {
		un->pid = fork();
		if (un->pid == 0) {
			child_main(net_fd, uid, log_fd);
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
