/* Confined start of QEMU. Contract: sandbox.h. */
#include "dm-glue/sandbox.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dm-glue/sandbox_filter.h"
#include "dm-glue/sandbox_root.h"

/* What the child tells the parent when it cannot exec. */
struct spawn_failure {
	int rc;
	char step[96];
};

/* Pipes between the two during the start. */
struct spawn_link {
	int failure[2];	 /* child -> parent: struct spawn_failure, or end of file at exec */
	int unshared[2]; /* child -> parent: one byte, "map my user namespace" */
	int mapped[2];	 /* parent -> child: one byte, 'y' or 'n' */
};

uid_t sandbox_uid(uint32_t domid)
{
	const struct passwd *pw = getpwnam(SANDBOX_UID_USER);

	return (pw && pw->pw_uid != 0 ? pw->pw_uid : SANDBOX_UID_BASE) + domid;
}

/* ---- the child ---- */

static _Noreturn void child_fail(const struct spawn_link *link, int rc, const char *step)
{
	struct spawn_failure failure = { .rc = rc };

	snprintf(failure.step, sizeof(failure.step), "%s", step);
	if (write(link->failure[1], &failure, sizeof(failure)) < 0) {
		/* The parent is gone as well. */
	}
	_exit(127);
}

/* A restriction that the kernel does not offer: said, not fatal. */
static void child_note(const char *what)
{
	dprintf(STDERR_FILENO, "sandbox: not available here: %s: %s\n", what, strerror(errno));
}

static void child_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++) {
		signal(sig, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_stdio(const struct sandbox *sb, const struct spawn_link *link)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(sb->log_fd, STDOUT_FILENO) < 0 ||
	    dup2(sb->log_fd, STDERR_FILENO) < 0) {
		child_fail(link, -errno, "standard descriptors");
	}
}

static void child_namespaces(const struct sandbox *sb, const struct spawn_link *link)
{
	if (unshare(CLONE_NEWIPC) < 0) {
		child_note("IPC namespace");
	}
	if (!sb->host_network && unshare(CLONE_NEWNET) < 0) {
		child_note("network namespace");
	}
	if (unshare(CLONE_NEWNS) < 0) {
		child_fail(link, -errno, "mount namespace");
	}
	const char *step = "";
	int rc = sandbox_root_enter(sb, &step);
	if (rc < 0) {
		child_fail(link, rc, step);
	}
}

/* A user namespace that knows QEMU's uid and no other. */
static void child_user_namespace(const struct spawn_link *link)
{
	char answer = 'n';

	if (unshare(CLONE_NEWUSER) < 0) {
		child_note("user namespace");
		return;
	}
	if (write(link->unshared[1], "u", 1) != 1 || read(link->mapped[0], &answer, 1) != 1 ||
	    answer != 'y') {
		child_fail(link, -EPERM, "mapping the user namespace");
	}
}

static void child_identity(const struct sandbox *sb, const struct spawn_link *link)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (setgroups(0, NULL) < 0) {
		child_fail(link, -errno, "dropping groups");
	}
	child_user_namespace(link);
	/* After it: a new user namespace comes with all capabilities, though they reach nothing. */
	for (int cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++) {
	}
	if (setresgid(sb->uid, sb->uid, sb->uid) < 0 || setresuid(sb->uid, sb->uid, sb->uid) < 0) {
		child_fail(link, -errno, "changing to QEMU's user");
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, none) < 0) {
		child_fail(link, -errno, "dropping capabilities");
	}
}

static void child_limits(const struct spawn_link *link)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t value;
	} limit[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 1024 },
		{ RLIMIT_NPROC, 512 },
		{ RLIMIT_MEMLOCK, 64u << 20 },
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_NICE, 0 },
		{ RLIMIT_RTPRIO, 0 },
	};

	for (size_t i = 0; i < sizeof(limit) / sizeof(limit[0]); i++) {
		struct rlimit now;

		if (getrlimit(limit[i].what, &now) < 0) {
			child_fail(link, -errno, "resource limits");
		}
		rlim_t value = limit[i].value < now.rlim_max ? limit[i].value : now.rlim_max;
		struct rlimit want = { value, value };
		if (setrlimit(limit[i].what, &want) < 0) {
			child_fail(link, -errno, "resource limits");
		}
	}
}

/* Everything above standard error goes at exec, but what is on the list. */
static void child_descriptors(const struct sandbox *sb, const struct spawn_link *link)
{
	if (syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) {
		child_fail(link, -errno, "closing descriptors");
	}
	for (size_t i = 0; i < sb->nr_keep; i++) {
		if (fcntl(sb->keep[i], F_SETFD, 0) < 0) {
			child_fail(link, -errno, "handing over descriptors");
		}
	}
}

static _Noreturn void child_main(const struct sandbox *sb, const struct spawn_link *link,
				 bool own_pids)
{
	static char *const environment[] = { "PATH=/usr/bin:/bin", "LANG=C", "HOME=/", NULL };

	child_signals();
	setsid();
	child_stdio(sb, link);
	if (!own_pids) {
		errno = EPERM;
		child_note("PID namespace");
	}
	if (geteuid() == 0) {
		child_namespaces(sb, link);
		child_identity(sb, link);
	} else {
		errno = EPERM;
		child_note("own user, namespaces and root directory (not started as root)");
	}
	child_limits(link);
	umask(077);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		child_fail(link, -errno, "no_new_privs");
	}
	child_descriptors(sb, link);
	int rc = sandbox_filter_install(sb->exec_path);
	if (rc < 0) {
		child_fail(link, rc, "system call filter");
	}
	execve(sb->exec_path, sb->argv, environment);
	child_fail(link, -errno, sb->exec_path);
}

/* ---- the parent ---- */

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0) {
			close(pair[i]);
			pair[i] = -1;
		}
	}
}

static void close_end(int pair[2], int end)
{
	close(pair[end]);
	pair[end] = -1;
}

static int link_open(struct spawn_link *link)
{
	*link = (struct spawn_link){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(link->failure, O_CLOEXEC) < 0 || pipe2(link->unshared, O_CLOEXEC) < 0 ||
	    pipe2(link->mapped, O_CLOEXEC) < 0) {
		return -errno;
	}
	return 0;
}

static void link_close(struct spawn_link *link)
{
	close_pair(link->failure);
	close_pair(link->unshared);
	close_pair(link->mapped);
}

/* fork() with a PID namespace for the child if there may be one. Returns like fork(). */
static pid_t fork_child(int *pidfd, bool *own_pids)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_NEWPID, .pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
	};

	*own_pids = geteuid() == 0;
	if (*own_pids) {
		pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		if (pid >= 0) {
			return pid;
		}
	}
	*own_pids = false;
	args.flags = CLONE_PIDFD;
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static bool write_proc(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* Waits for the child to ask for its user namespace's maps, or to get on without. */
static void map_user_namespace(struct spawn_link *link, pid_t pid, uid_t uid)
{
	char map[40], byte;

	if (read(link->unshared[0], &byte, 1) != 1) {
		return;
	}
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	bool ok = write_proc(pid, "setgroups", "deny") && write_proc(pid, "uid_map", map) &&
		  write_proc(pid, "gid_map", map);
	if (write(link->mapped[1], ok ? "y" : "n", 1) != 1) {
		/* The child is gone; the failure pipe says why. */
	}
}

int sandbox_spawn(const struct sandbox *sb, struct sandbox_child *child, char *error, size_t size)
{
	struct spawn_link link;
	struct spawn_failure failure;
	bool own_pids;
	int rc = link_open(&link);

	*child = (struct sandbox_child){ .pid = -1, .pidfd = -1 };
	if (rc < 0) {
		link_close(&link);
		snprintf(error, size, "pipe: %s", strerror(-rc));
		return rc;
	}
	child->pid = fork_child(&child->pidfd, &own_pids);
	if (child->pid == 0) {
		child_main(sb, &link, own_pids);
	}
	if (child->pid < 0) {
		rc = -errno;
		link_close(&link);
		snprintf(error, size, "starting a process: %s", strerror(-rc));
		return rc;
	}
	close_end(link.failure, 1);
	close_end(link.unshared, 1);
	close_end(link.mapped, 0);
	map_user_namespace(&link, child->pid, sb->uid);
	ssize_t n = read(link.failure[0], &failure, sizeof(failure));
	link_close(&link);
	if (n == 0) {
		return 0;
	}
	rc = n == sizeof(failure) && failure.rc < 0 ? failure.rc : -EIO;
	snprintf(error, size, "%.*s: %s", (int)sizeof(failure.step),
		 n == sizeof(failure) ? failure.step : "start", strerror(-rc));
	waitpid(child->pid, NULL, 0);
	close(child->pidfd);
	*child = (struct sandbox_child){ .pid = -1, .pidfd = -1 };
	return rc;
}

/* ---- later ---- */

/* Is the mount namespace open at `fd` another than ours? */
static bool foreign_mounts(int fd)
{
	struct stat theirs, ours;

	return fstat(fd, &theirs) == 0 && stat("/proc/self/ns/mnt", &ours) == 0 &&
	       (theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev);
}

int sandbox_strip(pid_t pid)
{
	char path[64];
	int status;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	if (!foreign_mounts(fd)) {
		close(fd);
		return 0;
	}
	pid_t helper = fork();
	if (helper == 0) {
		_exit(setns(fd, CLONE_NEWNS) < 0 ? errno : -sandbox_root_strip());
	}
	close(fd);
	if (helper < 0) {
		return -errno;
	}
	if (waitpid(helper, &status, 0) < 0 || !WIFEXITED(status)) {
		return -EIO;
	}
	return -WEXITSTATUS(status);
}

/* The real uid of a process; false: it is gone. */
static bool process_uid(const char *pid, uid_t *uid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
	FILE *f = fopen(path, "re");
	char line[256];
	bool found = false;
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = sscanf(line, "Uid: %u", uid) == 1;
	}
	if (f) {
		fclose(f);
	}
	return found;
}

unsigned int sandbox_kill_uid(uid_t uid)
{
	unsigned int killed = 0;
	DIR *proc = uid != 0 ? opendir("/proc") : NULL;

	if (proc == NULL) {
		return 0;
	}
	for (struct dirent *e; (e = readdir(proc)) != NULL;) {
		uid_t owner;

		if (isdigit((unsigned char)e->d_name[0]) && process_uid(e->d_name, &owner) &&
		    owner == uid) {
			killed += kill(atoi(e->d_name), SIGKILL) == 0;
		}
	}
	closedir(proc);
	return killed;
}

bool sandbox_qemu_has_seccomp(const char *exec_path)
{
	static const char library[] = "libseccomp.so";
	struct stat st;
	bool found = false;
	int fd = open(exec_path, O_RDONLY | O_CLOEXEC);

	/* Asking it would mean running it; the name of the library it needs says the same. */
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
		void *text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		if (text != MAP_FAILED) {
			found = memmem(text, (size_t)st.st_size, library, strlen(library)) != NULL;
			munmap(text, (size_t)st.st_size);
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	return found;
}
