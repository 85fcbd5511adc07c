/*
 * The QMP wire format: framing of incoming bytes into messages, and building of commands.
 *
 * Owns: line assembly with a size limit, JSON through yajl with a depth limit, the four kinds of
 * message. Pure: bytes in, messages out; no descriptor, no clock. Not here: matching a reply to its
 * command (qmp.c). Locking: none.
 *
 * What arrives comes from a QEMU that a guest may have taken over: nothing in it is trusted, and no
 * message can make us use more than QMP_WIRE_MAX bytes or QMP_WIRE_DEPTH levels.
 * Reference: QEMU's "QEMU Machine Protocol Specification".
 */
#ifndef DM_GLUE_QMP_WIRE_H
#define DM_GLUE_QMP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_tree.h>

#define QMP_WIRE_MAX   (256 * 1024) /* one message */
#define QMP_WIRE_DEPTH 32

enum qmp_kind {
	QMP_GREETING,
	QMP_RETURN,
	QMP_ERROR,
	QMP_EVENT,
};

/* One message. The strings and `value` live in `tree`, until qmp_msg_free(). */
struct qmp_msg {
	enum qmp_kind kind;
	bool has_id;
	int64_t id;	      /* of a return or error, when it is a number */
	const char *name;     /* event name, error class; else NULL */
	const char *text;     /* error description; else NULL */
	yajl_val value;	      /* of a return: its value; event: its data or NULL; greeting: "QMP" */
	yajl_val tree;
};

/* Bytes that are not yet a message. Zero-initialised is empty. */
struct qmp_wire {
	char *buf;
	size_t len, cap;
	size_t done;	/* bytes at the front that were handed out */
	bool broken;	/* the stream cannot be continued */
};

/* Append bytes. Result: 0; -ENOMEM; -EMSGSIZE: an unfinished message is too long (for good). */
int qmp_wire_feed(struct qmp_wire *wire, const void *bytes, size_t len);

/*
 * Take the next complete message. Result: 0: *msg is filled, release it with qmp_msg_free();
 * -EAGAIN: more bytes needed; -EPROTO: not JSON, too deep, or no QMP message (for good).
 */
int qmp_wire_next(struct qmp_wire *wire, struct qmp_msg *msg);

void qmp_wire_free(struct qmp_wire *wire);
void qmp_msg_free(struct qmp_msg *msg);

/* Members of a JSON object, for replies: NULL or false when absent or of another type. */
yajl_val qmp_get(yajl_val object, const char *key);
const char *qmp_get_string(yajl_val object, const char *key);
bool qmp_get_bool(yajl_val object, const char *key, bool *value);
bool qmp_get_int(yajl_val object, const char *key, int64_t *value);

/*
 * A command under construction: qmp_out_begin(), any number of arguments, qmp_out_end().
 * An error (memory, text that is not UTF-8) is remembered and reported by qmp_out_end().
 */
struct qmp_out {
	yajl_gen gen;
	bool failed;
	bool has_args;
};

void qmp_out_begin(struct qmp_out *out, const char *command, int64_t id);
void qmp_out_string(struct qmp_out *out, const char *key, const char *value);
void qmp_out_int(struct qmp_out *out, const char *key, int64_t value);
void qmp_out_bool(struct qmp_out *out, const char *key, bool value);
/* The line with its end, owned by `out`. Result: 0 or -EINVAL. */
int qmp_out_end(struct qmp_out *out, const char **text, size_t *len);
void qmp_out_free(struct qmp_out *out);

#endif
