/* The QMP wire format. Contract: qmp_wire.h. */
#include "dm-glue/qmp_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for `more` bytes behind buf[len]; hands out the space of consumed messages first. */
static int wire_reserve(struct qmp_wire *wire, size_t more)
{
	if (wire->done > 0) {
		memmove(wire->buf, wire->buf + wire->done, wire->len - wire->done);
		wire->len -= wire->done;
		wire->done = 0;
	}
	if (wire->len + more <= wire->cap) {
		return 0;
	}
	size_t cap = wire->cap ? wire->cap : 4096;
	while (cap < wire->len + more) {
		cap *= 2;
	}
	char *buf = realloc(wire->buf, cap);
	if (buf == NULL) {
		return -ENOMEM;
	}
	wire->buf = buf;
	wire->cap = cap;
	return 0;
}

int qmp_wire_feed(struct qmp_wire *wire, const void *bytes, size_t len)
{
	if (wire->broken || len > QMP_WIRE_MAX) {
		wire->broken = true;
		return -EMSGSIZE;
	}
	if (len == 0) {
		return 0;
	}
	int rc = wire_reserve(wire, len);
	if (rc < 0) {
		return rc;
	}
	memcpy(wire->buf + wire->len, bytes, len);
	wire->len += len;
	/* Complete messages may wait here while events pile up; only an endless line is a fault. */
	const char *last = memrchr(wire->buf, '\n', wire->len);
	size_t tail = last ? wire->len - (size_t)(last + 1 - wire->buf) : wire->len;
	if (tail > QMP_WIRE_MAX || wire->len > 4 * QMP_WIRE_MAX) {
		wire->broken = true;
		return -EMSGSIZE;
	}
	return 0;
}

/* yajl's tree functions recurse per level, so the depth is bounded before they see the text. */
static bool wire_shallow(const char *text, size_t len)
{
	unsigned int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\') {
				i++;
			} else if (c == '"') {
				in_string = false;
			}
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > QMP_WIRE_DEPTH) {
				return false;
			}
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		}
	}
	return true;
}

yajl_val qmp_get(yajl_val object, const char *key)
{
	if (!YAJL_IS_OBJECT(object)) {
		return NULL;
	}
	for (size_t i = 0; i < object->u.object.len; i++) {
		if (strcmp(object->u.object.keys[i], key) == 0) {
			return object->u.object.values[i];
		}
	}
	return NULL;
}

const char *qmp_get_string(yajl_val object, const char *key)
{
	return YAJL_GET_STRING(qmp_get(object, key));
}

bool qmp_get_bool(yajl_val object, const char *key, bool *value)
{
	yajl_val v = qmp_get(object, key);

	if (!YAJL_IS_TRUE(v) && !YAJL_IS_FALSE(v)) {
		return false;
	}
	*value = YAJL_IS_TRUE(v);
	return true;
}

bool qmp_get_int(yajl_val object, const char *key, int64_t *value)
{
	yajl_val v = qmp_get(object, key);

	if (!YAJL_IS_INTEGER(v)) {
		return false;
	}
	*value = YAJL_GET_INTEGER(v);
	return true;
}

/* Sorts the tree into one of the four kinds. */
static int msg_classify(struct qmp_msg *msg)
{
	yajl_val tree = msg->tree;
	yajl_val v;

	msg->has_id = qmp_get_int(tree, "id", &msg->id);
	if ((v = qmp_get(tree, "return")) != NULL) {
		msg->kind = QMP_RETURN;
		msg->value = v;
		return 0;
	}
	if ((v = qmp_get(tree, "error")) != NULL) {
		msg->kind = QMP_ERROR;
		msg->name = qmp_get_string(v, "class");
		msg->text = qmp_get_string(v, "desc");
		return msg->name && msg->text ? 0 : -EPROTO;
	}
	if ((msg->name = qmp_get_string(tree, "event")) != NULL) {
		msg->kind = QMP_EVENT;
		msg->value = qmp_get(tree, "data");
		return 0;
	}
	if ((v = qmp_get(tree, "QMP")) != NULL) {
		msg->kind = QMP_GREETING;
		msg->value = v;
		return 0;
	}
	return -EPROTO;
}

static int msg_parse(struct qmp_msg *msg, char *line, size_t len)
{
	char unused[8];

	*msg = (struct qmp_msg){ 0 };
	/* The parser takes C strings: a NUL inside would hide the rest of the line from it. */
	if (memchr(line, '\0', len) != NULL || !wire_shallow(line, len)) {
		return -EPROTO;
	}
	line[len] = '\0';
	msg->tree = yajl_tree_parse(line, unused, sizeof(unused));
	if (msg->tree == NULL) {
		return -EPROTO;
	}
	int rc = msg_classify(msg);
	if (rc < 0) {
		qmp_msg_free(msg);
	}
	return rc;
}

/* A line of nothing but white space between messages. */
static bool line_blank(const char *line, size_t len)
{
	return strspn(line, " \t\r\n") >= len;
}

int qmp_wire_next(struct qmp_wire *wire, struct qmp_msg *msg)
{
	while (!wire->broken && wire->done < wire->len) {
		char *line = wire->buf + wire->done;
		char *end = memchr(line, '\n', wire->len - wire->done);

		if (end == NULL) {
			return -EAGAIN;
		}
		size_t len = (size_t)(end - line);
		wire->done += len + 1;
		if (line_blank(line, len + 1)) {
			continue;
		}
		int rc = msg_parse(msg, line, len);
		wire->broken = rc < 0;
		return rc;
	}
	return wire->broken ? -EPROTO : -EAGAIN;
}

void qmp_wire_free(struct qmp_wire *wire)
{
	free(wire->buf);
	*wire = (struct qmp_wire){ 0 };
}

void qmp_msg_free(struct qmp_msg *msg)
{
	yajl_tree_free(msg->tree);
	*msg = (struct qmp_msg){ 0 };
}

/* ---- commands ---- */

static void out_check(struct qmp_out *out, yajl_gen_status status)
{
	if (status != yajl_gen_status_ok) {
		out->failed = true;
	}
}

static void out_text(struct qmp_out *out, const char *text)
{
	out_check(out, yajl_gen_string(out->gen, (const unsigned char *)text, strlen(text)));
}

void qmp_out_begin(struct qmp_out *out, const char *command, int64_t id)
{
	*out = (struct qmp_out){ .gen = yajl_gen_alloc(NULL) };
	if (out->gen == NULL) {
		out->failed = true;
		return;
	}
	yajl_gen_config(out->gen, yajl_gen_validate_utf8, 1);
	out_check(out, yajl_gen_map_open(out->gen));
	out_text(out, "execute");
	out_text(out, command);
	out_text(out, "id");
	out_check(out, yajl_gen_integer(out->gen, id));
}

/* The key of an argument; opens "arguments" before the first. False: give up. */
static bool out_key(struct qmp_out *out, const char *key)
{
	if (out->failed) {
		return false;
	}
	if (!out->has_args) {
		out->has_args = true;
		out_text(out, "arguments");
		out_check(out, yajl_gen_map_open(out->gen));
	}
	out_text(out, key);
	return !out->failed;
}

void qmp_out_string(struct qmp_out *out, const char *key, const char *value)
{
	if (out_key(out, key)) {
		out_text(out, value);
	}
}

void qmp_out_int(struct qmp_out *out, const char *key, int64_t value)
{
	if (out_key(out, key)) {
		out_check(out, yajl_gen_integer(out->gen, value));
	}
}

void qmp_out_bool(struct qmp_out *out, const char *key, bool value)
{
	if (out_key(out, key)) {
		out_check(out, yajl_gen_bool(out->gen, value));
	}
}

int qmp_out_end(struct qmp_out *out, const char **text, size_t *len)
{
	if (out->failed) {
		return -EINVAL;
	}
	if (out->has_args) {
		out_check(out, yajl_gen_map_close(out->gen));
	}
	out_check(out, yajl_gen_map_close(out->gen));
	/* Resetting at the top level makes the generator put the separator behind the object. */
	yajl_gen_reset(out->gen, "\n");
	const unsigned char *buf;
	out_check(out, yajl_gen_get_buf(out->gen, &buf, len));
	*text = (const char *)buf;
	return out->failed ? -EINVAL : 0;
}

void qmp_out_free(struct qmp_out *out)
{
	if (out->gen != NULL) {
		yajl_gen_free(out->gen);
	}
	*out = (struct qmp_out){ 0 };
}
