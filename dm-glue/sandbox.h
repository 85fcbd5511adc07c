/*
 * Starting a QEMU that can hurt nobody but its guest.
 *
 * Owns: the confinement of the child between fork and exec, its private root, and taking that root
 * away again. Not here: what QEMU is told to do (qemu_args.c), judging a running one (sandbox_check.c).
 * Locking: none; single-threaded callers only (it forks).
 *
 * As root, each of these is applied or the start fails: own uid and gid, no capabilities,
 * no_new_privs, own mount namespace with a root of its own, closed descriptors, resource limits, seccomp
 * filter. Applied where the kernel can, else said in the log: own PID, IPC, network and user namespace.
 * Not as root (developers' tests): descriptors, limits, no_new_privs and filter only.
 */
#ifndef DM_GLUE_SANDBOX_H
#define DM_GLUE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Passwd entry whose uid is the base of the per-guest range; SANDBOX_UID_BASE if there is none. */
#define SANDBOX_UID_USER "ostler-qemu-base"
#define SANDBOX_UID_BASE 20000

struct sandbox {
	uid_t uid;		/* also the gid */
	const char *root_dir;	/* an empty directory of ours: QEMU's root is mounted here */
	const char *exec_path;	/* QEMU */
	char *const *argv;
	const int *keep;	/* descriptors that QEMU inherits under the same numbers */
	size_t nr_keep;
	int log_fd;		/* becomes its standard output and error */
	bool host_network;	/* QEMU itself must reach the network */
	bool ptys;		/* it opens pseudo terminals */
	const char *kernel;	/* copied to /boot/kernel and /boot/initrd of its root, or NULL */
	const char *initrd;
};

struct sandbox_child {
	pid_t pid;
	int pidfd; /* readable when it has ended */
};

/* The uid for a domain's QEMU. */
uid_t sandbox_uid(uint32_t domid);

/*
 * Start QEMU. Returns when exec has happened. Result: 0, or -errno with the reason in `error`.
 * Remarks about restrictions that could not be had go to log_fd.
 */
int sandbox_spawn(const struct sandbox *sb, struct sandbox_child *child, char *error, size_t size);

/*
 * QEMU is up and has opened what it needs: detach programs, libraries, devices and /proc from its root.
 * Result: 0 or -errno; harmless when there is no private root.
 */
int sandbox_strip(pid_t pid);

/* Kill every process of that uid; never 0. Returns how many there were. */
unsigned int sandbox_kill_uid(uid_t uid);

/* Does the program accept -sandbox? */
bool sandbox_qemu_has_seccomp(const char *exec_path);

#endif
