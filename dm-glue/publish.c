/* Nodes in xenstore. Contract: publish.h. */
#include "dm-glue/publish.h"

#include <stdio.h>

static void dm_path(char path[STORE_PATH_MAX], uint32_t domid, const char *node)
{
	snprintf(path, STORE_PATH_MAX, "/local/domain/0/device-model/%u%s", domid, node);
}

static void guest_path(char path[STORE_PATH_MAX], uint32_t domid, const char *node)
{
	snprintf(path, STORE_PATH_MAX, "/local/domain/%u/%s", domid, node);
}

int publish_prepare(struct store *st, uint32_t domid)
{
	char path[STORE_PATH_MAX];

	publish_remove(st, domid);
	dm_path(path, domid, "");
	return store_mkdir(st, path, 0, false);
}

int publish_wait_running(struct store *st, uint32_t domid, int timeout_ms)
{
	char path[STORE_PATH_MAX];

	dm_path(path, domid, "/state");
	return store_wait(st, path, "running", timeout_ms);
}

int publish_running(struct store *st, uint32_t domid)
{
	char path[STORE_PATH_MAX];

	dm_path(path, domid, "/state");
	return store_write(st, path, "running");
}

int publish_pid(struct store *st, uint32_t domid, pid_t pid)
{
	char path[STORE_PATH_MAX];

	guest_path(path, domid, "image/device-model-pid");
	return store_writef(st, path, "%d", (int)pid);
}

int publish_vnc(struct store *st, uint32_t domid, const char *listen, int port)
{
	char path[STORE_PATH_MAX];

	guest_path(path, domid, "console/vnc-listen");
	int rc = store_write(st, path, listen);
	if (rc < 0) {
		return rc;
	}
	guest_path(path, domid, "console/vnc-port");
	return store_writef(st, path, "%d", port);
}

int publish_vnc_socket(struct store *st, uint32_t domid, const char *path)
{
	char node[STORE_PATH_MAX];

	guest_path(node, domid, "console/vnc-socket");
	return store_write(st, node, path);
}

int publish_serial(struct store *st, uint32_t domid, unsigned int port, const char *tty)
{
	char path[STORE_PATH_MAX], node[32];

	snprintf(node, sizeof(node), "serial/%u/tty", port);
	guest_path(path, domid, node);
	return store_write(st, path, tty);
}

int publish_end(struct store *st, uint32_t domid, const char *reason)
{
	char path[STORE_PATH_MAX];

	guest_path(path, domid, "image/exit-reason");
	return store_write(st, path, reason);
}

void publish_remove(struct store *st, uint32_t domid)
{
	char path[STORE_PATH_MAX];

	dm_path(path, domid, "");
	/* Absent is what we want; any other failure leaves a stale node and harms nothing. */
	(void)store_remove(st, path);
}
