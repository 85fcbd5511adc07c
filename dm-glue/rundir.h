/*
 * The run directory of one guest, /run/ostler/N: monitor sockets, log link, document, supervisor's pid.
 *
 * Owns: the directory and the files in it. Readable by root only. Locking: the pid file is locked for
 * as long as its supervisor lives, so there is never a second one.
 */
#ifndef DM_GLUE_RUNDIR_H
#define DM_GLUE_RUNDIR_H

#include <stddef.h>
#include <stdint.h>

#define RUNDIR_BASE "/run/ostler"
#define RUNDIR_LOGS "/var/log/ostler"

struct rundir {
	char *path;	/* /run/ostler/N */
	char *root;	/* /run/ostler/N/root: QEMU's root is mounted here, for QEMU only */
	char *document; /* /run/ostler/N/config.xml */
	int pid_fd;	/* supervisor.pid, locked */
};

/*
 * Make the directory `base`/`domid` and take it. Result: 0; -EBUSY: a supervisor of this domain is
 * alive; -errno. Release with rundir_close() in every case.
 */
int rundir_open(struct rundir *dir, const char *base, uint32_t domid);

/* Write our pid into the pid file; after forking into the background. */
int rundir_write_pid(struct rundir *dir);

/* Keep a copy of the guest's document. Result: 0 or -errno. */
int rundir_copy_document(struct rundir *dir, const char *from);

/*
 * For a restart: move the copy to where it outlives the directory. *path is malloc'd.
 * Result: 0 or -errno.
 */
int rundir_keep_document(struct rundir *dir, const char *base, const char *name, char **path);

/* Make a symbolic link in the directory. */
int rundir_link(struct rundir *dir, const char *name, const char *target);

/* Remove the directory and what is in it. */
void rundir_remove(struct rundir *dir);
void rundir_close(struct rundir *dir);

#endif
