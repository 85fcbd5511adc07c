/*
 * Names on the file system and in xenstore that ostler and the supervisor (ostler-dm) share, and
 * the
 * contract between the two.
 *
 *   ostler-dm --domid N --config FILE.xml --run-dir DIR [--status-fd FD] [--paused]
 *
 * ostler starts it after the domain is built, with standard input from /dev/null and FD the writing
 * end
 * of a pipe. The supervisor stays in the foreground of the process that was started (it becomes a
 * session leader by itself if it wants) and writes to FD exactly one line:
 *   "ready\n"         QEMU answers QMP, has reached device-model state "running", may be unpaused
 *   "error: TEXT\n"   it could not be started; the supervisor exits with a status other than 0
 * and closes FD. End of file without a line means it died. ostler then unpauses the domain.
 * From then on the supervisor watches QEMU and the domain; when either ends it stops QEMU and calls
 * life_end(). SIGTERM: stop QEMU, clean up, exit; do not touch the domain (ostler destroys it).
 *
 * DIR/<file>: the names below. FILE.xml may be read again when the guest restarts.
 */
#ifndef TOOLSTACK_LIB_RUNDIR_H
#define TOOLSTACK_LIB_RUNDIR_H

#include <stddef.h>
#include <stdint.h>

/* DIR = RUNDIR_BASE/<domid> */
#define RUNDIR_BASE "/run/ostler"

#define RUNDIR_QMP   "qmp"	  /* Unix socket: QMP for tools, beside the supervisor's own */
#define RUNDIR_DMLOG "dm.log"	  /* the supervisor's and QEMU's messages */

/* xenstore, below /ostler/<domid> (readable by domain 0 only) */
#define RUNDIR_XS_BASE	 "/ostler"
#define RUNDIR_XS_DM_PID "dm-pid"   /* written by ostler: process id of the supervisor */
#define RUNDIR_XS_XML	 "xml"	    /* path of the saved document */
#define RUNDIR_XS_NAME	 "name"
#define RUNDIR_XS_START	 "start-time" /* seconds since the epoch */
/*
 * written by the supervisor: where COM1 ended, if that is a pty; /local/domain/<domid>/serial/0/tty
 */

/* Fill `out` with RUNDIR_BASE/<domid>, or .../<file> below it. Result: 0 or -ENAMETOOLONG. */
int rundir_path(uint32_t domid, const char *file, char *out, size_t size);
/*
 * Make RUNDIR_BASE and the domain's directory (mode 0711: QEMU's user passes through). 0 or -errno.
 */
int rundir_make(uint32_t domid);
/* Remove the domain's directory with everything in it; absent is fine. 0 or -errno. */
int rundir_remove(uint32_t domid);

#endif
