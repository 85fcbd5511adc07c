/* Typed QMP commands. Contract: qmp_cmds.h. */
#include "dm-glue/qmp_cmds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SCREENDUMP_TIMEOUT_MS 15000

/* A command without arguments whose answer says nothing. */
static int simple(struct qmp *qmp, const char *name)
{
	struct qmp_out out;

	qmp_command(qmp, &out, name);
	return qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, NULL);
}

int qmp_cont(struct qmp *qmp)
{
	return simple(qmp, "cont");
}

int qmp_stop(struct qmp *qmp)
{
	return simple(qmp, "stop");
}

int qmp_quit(struct qmp *qmp)
{
	return simple(qmp, "quit");
}

int qmp_system_powerdown(struct qmp *qmp)
{
	return simple(qmp, "system_powerdown");
}

int qmp_system_reset(struct qmp *qmp)
{
	return simple(qmp, "system_reset");
}

/* A query: no arguments, the reply is the caller's to free. */
static int query(struct qmp *qmp, const char *name, struct qmp_msg *reply)
{
	struct qmp_out out;

	qmp_command(qmp, &out, name);
	return qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, reply);
}

/* The reply has not the shape that the protocol promises. */
static int malformed(struct qmp *qmp, const char *name)
{
	snprintf(qmp->error, sizeof(qmp->error), "%s: malformed reply", name);
	return -EPROTO;
}

int qmp_query_status(struct qmp *qmp, bool *running, char *status, size_t size)
{
	struct qmp_msg reply;
	int rc = query(qmp, "query-status", &reply);

	if (rc < 0) {
		return rc;
	}
	const char *text = qmp_get_string(reply.value, "status");
	if (text == NULL || !qmp_get_bool(reply.value, "running", running)) {
		rc = malformed(qmp, "query-status");
	} else if (status != NULL) {
		snprintf(status, size, "%s", text);
	}
	qmp_msg_free(&reply);
	return rc;
}

/* The pty's name out of one row of query-chardev. */
static int chardev_pty(struct qmp *qmp, yajl_val row, char *path, size_t size)
{
	const char *name = qmp_get_string(row, "filename");

	if (name == NULL) {
		return malformed(qmp, "query-chardev");
	}
	if (strncmp(name, "pty:", 4) != 0) {
		return -ENODATA;
	}
	if (strlen(name + 4) >= size) {
		return malformed(qmp, "query-chardev");
	}
	strcpy(path, name + 4);
	return 0;
}

int qmp_query_chardev_pty(struct qmp *qmp, const char *label, char *path, size_t size)
{
	struct qmp_msg reply;
	int rc = query(qmp, "query-chardev", &reply);

	if (rc < 0) {
		return rc;
	}
	yajl_val list = reply.value;
	rc = YAJL_IS_ARRAY(list) ? -ENOENT : malformed(qmp, "query-chardev");
	for (size_t i = 0; rc == -ENOENT && i < list->u.array.len; i++) {
		yajl_val row = list->u.array.values[i];
		const char *name = qmp_get_string(row, "label");

		if (name != NULL && strcmp(name, label) == 0) {
			rc = chardev_pty(qmp, row, path, size);
			break;
		}
	}
	qmp_msg_free(&reply);
	return rc;
}

int qmp_query_vnc(struct qmp *qmp, bool *enabled, unsigned int *clients)
{
	struct qmp_msg reply;
	int rc = query(qmp, "query-vnc", &reply);

	if (rc < 0) {
		return rc;
	}
	yajl_val list = qmp_get(reply.value, "clients");
	if (!qmp_get_bool(reply.value, "enabled", enabled)) {
		rc = malformed(qmp, "query-vnc");
	}
	*clients = YAJL_IS_ARRAY(list) ? (unsigned int)list->u.array.len : 0;
	qmp_msg_free(&reply);
	return rc;
}

/* ---- processors ---- */

#define CPUS_MAX 256

/* One place for a processor, from query-hotpluggable-cpus. */
struct cpu_place {
	char type[64];
	int64_t socket, core, thread; /* -1: not said */
	bool taken;
};

static bool read_place(yajl_val v, struct cpu_place *place)
{
	const char *type = qmp_get_string(v, "type");
	yajl_val props = qmp_get(v, "props");

	if (type == NULL || props == NULL || strlen(type) >= sizeof(place->type)) {
		return false;
	}
	*place = (struct cpu_place){ .socket = -1, .core = -1, .thread = -1 };
	strcpy(place->type, type);
	(void)qmp_get_int(props, "socket-id", &place->socket);
	(void)qmp_get_int(props, "core-id", &place->core);
	(void)qmp_get_int(props, "thread-id", &place->thread);
	place->taken = qmp_get_string(v, "qom-path") != NULL;
	return true;
}

static bool before(const struct cpu_place *a, const struct cpu_place *b)
{
	if (a->socket != b->socket) {
		return a->socket < b->socket;
	}
	return a->core != b->core ? a->core < b->core : a->thread < b->thread;
}

/* *free: the free place with the lowest number, when there is one. May be NULL. */
static int find_places(struct qmp *qmp, unsigned int *present, unsigned int *possible,
		       struct cpu_place *lowest, bool *found)
{
	struct qmp_msg reply;
	int rc = query(qmp, "query-hotpluggable-cpus", &reply);

	if (rc < 0) {
		return rc;
	}
	*present = *possible = 0;
	*found = false;
	if (!YAJL_IS_ARRAY(reply.value) || reply.value->u.array.len > CPUS_MAX) {
		rc = malformed(qmp, "query-hotpluggable-cpus");
	}
	for (size_t i = 0; rc == 0 && i < reply.value->u.array.len; i++) {
		struct cpu_place place;

		if (!read_place(reply.value->u.array.values[i], &place)) {
			rc = malformed(qmp, "query-hotpluggable-cpus");
			break;
		}
		*possible += 1;
		*present += place.taken;
		if (!place.taken && (!*found || before(&place, lowest))) {
			*lowest = place;
			*found = true;
		}
	}
	qmp_msg_free(&reply);
	return rc;
}

int qmp_count_cpus(struct qmp *qmp, unsigned int *present, unsigned int *possible)
{
	struct cpu_place place;
	unsigned int all;
	bool found;
	int rc = find_places(qmp, present, &all, &place, &found);

	if (possible != NULL) {
		*possible = all;
	}
	return rc;
}

static int plug(struct qmp *qmp, const struct cpu_place *place, unsigned int number)
{
	struct qmp_out out;
	char id[24];

	snprintf(id, sizeof(id), "cpu-%u", number);
	qmp_command(qmp, &out, "device_add");
	qmp_out_string(&out, "driver", place->type);
	qmp_out_string(&out, "id", id);
	if (place->socket >= 0) {
		qmp_out_int(&out, "socket-id", place->socket);
	}
	if (place->core >= 0) {
		qmp_out_int(&out, "core-id", place->core);
	}
	if (place->thread >= 0) {
		qmp_out_int(&out, "thread-id", place->thread);
	}
	return qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, NULL);
}

int qmp_plug_cpus(struct qmp *qmp, unsigned int wanted)
{
	/* No more often than that can be needed, whatever QEMU answers. */
	for (unsigned int n = 0; n <= wanted; n++) {
		struct cpu_place place;
		unsigned int present, possible;
		bool found;
		int rc = find_places(qmp, &present, &possible, &place, &found);

		if (rc < 0 || present >= wanted) {
			return rc;
		}
		if (!found) {
			snprintf(qmp->error, sizeof(qmp->error), "there is room for %u processors", possible);
			return -ENOSPC;
		}
		rc = plug(qmp, &place, present);
		if (rc < 0) {
			return rc;
		}
	}
	return malformed(qmp, "query-hotpluggable-cpus");
}

int qmp_vnc_password(struct qmp *qmp, const char *password)
{
	struct qmp_out out;

	qmp_command(qmp, &out, "set_password");
	qmp_out_string(&out, "protocol", "vnc");
	qmp_out_string(&out, "password", password);
	return qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, NULL);
}

int qmp_vnc_add_client(struct qmp *qmp, int fd)
{
	struct qmp_out out;

	qmp_command(qmp, &out, "getfd");
	qmp_out_string(&out, "fdname", "vnc-client");
	int rc = qmp_call(qmp, &out, fd, QMP_CMD_TIMEOUT_MS, NULL);
	if (rc < 0) {
		return rc;
	}
	qmp_command(qmp, &out, "add_client");
	qmp_out_string(&out, "protocol", "vnc");
	qmp_out_string(&out, "fdname", "vnc-client");
	return qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, NULL);
}

/* Hands fd to QEMU as a new descriptor set; *set is its number. */
static int fdset_add(struct qmp *qmp, int fd, int64_t *set)
{
	struct qmp_out out;
	struct qmp_msg reply;

	qmp_command(qmp, &out, "add-fd");
	int rc = qmp_call(qmp, &out, fd, QMP_CMD_TIMEOUT_MS, &reply);
	if (rc < 0) {
		return rc;
	}
	if (!qmp_get_int(reply.value, "fdset-id", set)) {
		rc = malformed(qmp, "add-fd");
	}
	qmp_msg_free(&reply);
	return rc;
}

/* Drops our share of a set; QEMU closes it when nothing inside uses it any more. Keeps the error. */
static void fdset_remove(struct qmp *qmp, int64_t set)
{
	struct qmp_out out;
	char keep[sizeof(qmp->error)];

	memcpy(keep, qmp->error, sizeof(keep));
	qmp_command(qmp, &out, "remove-fd");
	qmp_out_int(&out, "fdset-id", set);
	if (qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, NULL) < 0) {
		/* Nothing to do: the worst case is one open descriptor more in QEMU. */
	}
	memcpy(qmp->error, keep, sizeof(keep));
}

int qmp_screendump(struct qmp *qmp, int fd)
{
	struct qmp_out out;
	char name[40];
	int64_t set;
	int rc = fdset_add(qmp, fd, &set);

	if (rc < 0) {
		return rc;
	}
	snprintf(name, sizeof(name), "/dev/fdset/%lld", (long long)set);
	qmp_command(qmp, &out, "screendump");
	qmp_out_string(&out, "filename", name);
	qmp_out_string(&out, "format", "png");
	rc = qmp_call(qmp, &out, -1, SCREENDUMP_TIMEOUT_MS, NULL);
	fdset_remove(qmp, set);
	return rc;
}

int qmp_change_medium(struct qmp *qmp, const char *device, int fd, const char *format,
		      bool read_only)
{
	struct qmp_out out;
	char name[40];
	int64_t set;
	int rc = fdset_add(qmp, fd, &set);

	if (rc < 0) {
		return rc;
	}
	snprintf(name, sizeof(name), "/dev/fdset/%lld", (long long)set);
	qmp_command(qmp, &out, "blockdev-change-medium");
	qmp_out_string(&out, "id", device);
	qmp_out_string(&out, "filename", name);
	qmp_out_string(&out, "format", format);
	qmp_out_string(&out, "read-only-mode", read_only ? "read-only" : "read-write");
	rc = qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, NULL);
	/* The open image holds its own duplicate. */
	fdset_remove(qmp, set);
	return rc;
}

int qmp_eject(struct qmp *qmp, const char *device, bool force)
{
	struct qmp_out out;

	qmp_command(qmp, &out, "eject");
	qmp_out_string(&out, "id", device);
	qmp_out_bool(&out, "force", force);
	return qmp_call(qmp, &out, -1, QMP_CMD_TIMEOUT_MS, NULL);
}
