/*
 * The life of one guest's device model: start QEMU, watch it and its domain, end both.
 *
 * Owns: the QEMU process, its QMP session, its logs, what it puts into the run directory, the xenstore
 * nodes of publish.h. Not here: what a guest's end leads to (toolstack/life.h), how QEMU is confined
 * (sandbox.h). Locking: none; one thread, one poll() loop.
 */
#ifndef DM_GLUE_SUPERVISE_H
#define DM_GLUE_SUPERVISE_H

#include <stdint.h>

#define SUPERVISE_LOG_DIR "/var/log/ostler"

struct supervise_options {
	uint32_t domid;
	const char *document; /* domain XML */
	const char *run_dir;  /* the guest's own, see toolstack/lib/rundir.h */
	const char *log_dir;  /* usually SUPERVISE_LOG_DIR */
	int report_fd;	      /* gets one line: "ready" or "error: REASON"; then it is closed */
};

/*
 * Supervise until the guest has ended and everything is cleaned up.
 * Returns the exit code: 0; 1: the start failed (the domain is left to who created it).
 */
int supervise(const struct supervise_options *opt);

#endif
