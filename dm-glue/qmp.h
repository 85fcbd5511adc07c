/*
 * One QMP session with one QEMU: greeting, capabilities, commands with replies, events.
 *
 * Owns: the socket and the unread bytes. Not here: which commands exist (qmp_cmds.c).
 * Locking: none; one thread. A call blocks at most for its time-out; events that arrive meanwhile
 * go to the handler from inside the call, so a handler must not issue commands.
 */
#ifndef DM_GLUE_QMP_H
#define DM_GLUE_QMP_H

#include "dm-glue/qmp_wire.h"

/* Called for each event; `data` may be NULL and lives until the handler returns. */
typedef void (*qmp_event_fn)(void *ctx, const char *name, yajl_val data);

struct qmp {
	int fd; /* -1: closed */
	struct qmp_wire wire;
	int64_t next_id;
	qmp_event_fn on_event;
	void *event_ctx;
	char version[32]; /* "7.2.22", from the greeting */
	char error[256];  /* what the last failed call was told: "class: description", or our reason */
};

/* Take over a connected socket. The handler may be NULL. */
void qmp_init(struct qmp *qmp, int fd, qmp_event_fn on_event, void *event_ctx);

/* Connect to a Unix socket, then as qmp_init(). Result: 0 or -errno. */
int qmp_connect(struct qmp *qmp, const char *path, qmp_event_fn on_event, void *event_ctx);

/*
 * Wait for the greeting and leave capabilities negotiation.
 * Result: 0; -ETIMEDOUT, -EPROTO, -EPIPE (QEMU closed the connection), -errno.
 */
int qmp_handshake(struct qmp *qmp, int timeout_ms);

/* Start a command with the session's next id; add arguments with qmp_out_*(). */
void qmp_command(struct qmp *qmp, struct qmp_out *out, const char *name);

/*
 * Send `out` (which is consumed) and wait for its reply. pass_fd, if not -1, travels along and is
 * taken by commands such as getfd and add-fd. `reply`: filled on success, may be NULL.
 * Result: 0; -EREMOTEIO: QEMU answered with an error, its text is in qmp->error; -ETIMEDOUT: the
 * reply will be dropped when it comes; -EPIPE, -EPROTO, -EMSGSIZE: the session is over.
 */
int qmp_call(struct qmp *qmp, struct qmp_out *out, int pass_fd, int timeout_ms,
	     struct qmp_msg *reply);

/* Handle whatever is readable now, without blocking. Result: 0 or as above when it is over. */
int qmp_pump(struct qmp *qmp);

void qmp_close(struct qmp *qmp);

#endif
