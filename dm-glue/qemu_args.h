/*
 * From a guest's configuration to the argument vector of its QEMU.
 *
 * Owns: which option says what, and in which order. Does not open anything: descriptors that QEMU is
 * to inherit come in as numbers. Pure but for malloc: the same input gives the same text.
 * Locking: none.
 *
 * The options are those of stock QEMU 7.2 and later ("QEMU User Documentation", qemu(1)).
 */
#ifndef DM_GLUE_QEMU_ARGS_H
#define DM_GLUE_QEMU_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/config.h"

#define QEMU_ARGS_MAX 512

/* What the supervisor prepared; a descriptor that is not there is -1. */
struct qemu_args_env {
	uint32_t domid;
	const char *emulator;	     /* argv[0] */
	int qmp_fd;		     /* listening sockets */
	int qmp_tools_fd;
	int disk_fd[CONFIG_MAX_DISKS];	     /* open as the disk is used: read-write or read-only */
	int disk_ro_fd[CONFIG_MAX_DISKS];    /* of a writable disk: a second one, read-only */
	bool disk_block[CONFIG_MAX_DISKS];   /* it is a block device, not a file */
	int nic_fd[CONFIG_MAX_NICS]; /* a bridged card: its tap; a user card: a socket */
	int serial_fd[CONFIG_MAX_CHARDEVS];   /* file: a pipe; device: open; unix: a socket */
	int parallel_fd[CONFIG_MAX_CHARDEVS]; /* the same */
	const char *vnc_socket;	     /* where QEMU itself listens, inside its own root */
	const char *kernel;	     /* direct boot: names inside QEMU's root, or NULL */
	const char *initrd;
	bool domid_restrict;	     /* the kernel can restrict QEMU to this domain */
	bool sandbox;		     /* QEMU was built with seccomp */
};

struct qemu_args {
	char **argv; /* NULL-terminated */
	size_t nr;
	char error[256]; /* when building failed: why */
	bool failed;
};

/*
 * Build the vector. Result: 0; -ENOTSUP: the configuration asks for something that a sandboxed QEMU
 * cannot have (the reason is in args->error); -ENOMEM. Release with qemu_args_free() in every case.
 */
int qemu_args_build(const struct guest_config *cfg, const struct qemu_args_env *env,
		    struct qemu_args *args);

void qemu_args_free(struct qemu_args *args);

/* An environment without any descriptor. */
void qemu_args_env_init(struct qemu_args_env *env);

/* "raw", "qcow2" ...: the name QEMU knows a format by. */
const char *qemu_args_format(enum config_disk_format format);

/* Does anything in the configuration need the host's network inside QEMU? */
bool qemu_args_needs_network(const struct guest_config *cfg);

#endif
