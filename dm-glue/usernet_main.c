/*
 * ostler-usernet: user-mode networking for one card of a guest, as a process that can do nothing else.
 *
 * Started by ostler-dm (usernet.c) with the card's socket as its only descriptor besides the log; ends when QEMU's end
 * of that socket closes. Confines itself before it reads the first frame. Owns: the process. Locking: none.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dm-glue/sandbox_filter.h"
#include "dm-glue/usernet_stack.h"

struct options {
	int fd;
	uid_t uid;        /* 0: stay who we are (not started as root) */
	const char *root; /* an empty directory; only as root */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "ostler-usernet: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool number(const char *text, long max, long *value)
{
	char *end;

	errno = 0;
	*value = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *value >= 0 && *value <= max;
}

static bool parse(int argc, char **argv, struct options *opt)
{
	long value;

	*opt = (struct options){ .fd = -1 };
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--fd") == 0 && number(argv[i + 1], INT_MAX, &value)) {
			opt->fd = (int)value;
		} else if (strcmp(argv[i], "--uid") == 0 && number(argv[i + 1], INT_MAX, &value)) {
			opt->uid = (uid_t)value;
		} else if (strcmp(argv[i], "--root") == 0) {
			opt->root = argv[i + 1];
		} else {
			return false;
		}
	}
	return argc % 2 == 1 && opt->fd >= 0 && (opt->uid == 0 || opt->root != NULL);
}

/* The one file that is needed later: where the host's name servers are. None is a network without names. */
static void copy_resolv_conf(const char *root)
{
	char path[PATH_MAX], text[4096];
	int from = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
	ssize_t n = from < 0 ? -1 : read(from, text, sizeof(text));

	if (from >= 0) {
		close(from);
	}
	snprintf(path, sizeof(path), "%s/etc", root);
	if (n <= 0 || mkdir(path, 0755) < 0) {
		return;
	}
	snprintf(path, sizeof(path), "%s/etc/resolv.conf", root);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (to < 0 || write(to, text, (size_t)n) != n) {
		die(path);
	}
	close(to);
}

static void enter_root(const char *root)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		die("own mounts");
	}
	if (mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=64k") < 0) {
		die(root);
	}
	copy_resolv_conf(root);
	if (chdir(root) < 0 || mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0 ||
	    chroot(".") < 0) {
		die(root);
	}
}

static void confine(const struct options *opt)
{
	const struct rlimit no_core = { 0, 0 }, descriptors = { 1024, 1024 };

	if (opt->uid != 0) {
		enter_root(opt->root);
		if (setgroups(0, NULL) < 0 || setresgid(opt->uid, opt->uid, opt->uid) < 0 ||
		    setresuid(opt->uid, opt->uid, opt->uid) < 0) {
			die("own user");
		}
	}
	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || setrlimit(RLIMIT_NOFILE, &descriptors) < 0) {
		die("resource limits");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		die("no_new_privs");
	}
	int rc = sandbox_filter_install(""); /* nothing that it could start */
	if (rc < 0) {
		errno = -rc;
		die("system call filter");
	}
}

int main(int argc, char **argv)
{
	struct options opt;

	if (!parse(argc, argv, &opt)) {
		fprintf(stderr, "usage: ostler-usernet --fd NUMBER [--uid NUMBER --root DIRECTORY]\n"
				"Started by ostler-dm for a network card with user-mode networking.\n");
		return 2;
	}
	confine(&opt);
	int rc = usernet_stack_run(opt.fd);
	if (rc < 0) {
		errno = -rc;
		die("network");
	}
	return 0;
}
