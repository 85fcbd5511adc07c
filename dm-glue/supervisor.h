/*
 * The state of one supervisor, shared by the files that make it up: start.c, qemu_proc.c, supervise.c.
 */
#ifndef DM_GLUE_SUPERVISOR_H
#define DM_GLUE_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "dm-glue/logfile.h"
#include "dm-glue/qmp.h"
#include "dm-glue/resources.h"
#include "dm-glue/sandbox.h"
#include "dm-glue/supervise.h"
#include "dm-glue/usernet.h"
#include "dm-glue/vnc.h"
#include "toolstack/lib/hvcall.h"
#include "toolstack/lib/store.h"

struct supervisor {
	const struct supervise_options *opt;
	struct guest_config *cfg;
	struct hvcall hv;
	struct store store;
	int lock_fd;
	char *root_dir; /* where QEMU's root is mounted, for QEMU only */
	struct logfile log;
	struct resources res;
	struct qemu_args args;
	struct qmp qmp;
	struct vnc vnc;
	struct sandbox_child qemu;
	struct usernet usernet[CONFIG_MAX_NICS];
	int log_pipe;	 /* QEMU's output, our end */
	int signal_fd;
	bool restricted; /* QEMU runs with -xen-domid-restrict */
	bool stopping;	 /* we were told to end the guest */
	time_t started;
	char last_line[256]; /* of QEMU's output, for error messages */
	size_t last_len;
	char error[512];
};

/*
 * start.c: everything from reading the document to a QEMU that is ready. Result: 0, or -errno with the
 * reason in sv->error; what was opened until then stays open.
 */
int start_run(struct supervisor *sv);

/* qemu_proc.c: read what QEMU has said and what its ports to files have sent. Never blocks. */
void qemu_proc_drain(struct supervisor *sv);

/* Reap QEMU if it ends within the time; `how` then says how it ended. False: it lives. */
bool qemu_proc_reap(struct supervisor *sv, int timeout_ms, char *how, size_t size);

/* End QEMU: politely, less politely, for sure. Fine when there is none. */
void qemu_proc_stop(struct supervisor *sv);

#endif
