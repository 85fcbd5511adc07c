/* A guest's open files. Contract: resources.h. */
#include "dm-glue/resources.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dm-glue/image.h"
#include "dm-glue/tap.h"
#include "dm-glue/usernet.h"
#include "toolstack/lib/rundir.h"

#define SERIAL_FILE_CAP (16u << 20)
#define VNC_PORT_FIRST	5900
#define VNC_PORT_LAST	6099

__attribute__((format(printf, 3, 4))) static int fail(struct resources *res, int rc, const char *fmt,
						       ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(res->error, sizeof(res->error), fmt, ap);
	va_end(ap);
	return rc;
}

static void close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

/* ---- sockets ---- */

static int unix_address(struct sockaddr_un *addr, const char *path)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(addr->sun_path)) {
		return -ENAMETOOLONG;
	}
	strcpy(addr->sun_path, path);
	return 0;
}

/* Listening socket at `path`; a socket that a predecessor left there is replaced. */
static int unix_listen(const char *path)
{
	struct sockaddr_un addr;
	struct stat st;
	int rc = unix_address(&addr, path);

	if (rc < 0) {
		return rc;
	}
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		unlink(path);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	mode_t mask = umask(0177);
	rc = bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 4) < 0 ? -errno : 0;
	umask(mask);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static int unix_connect(const char *path)
{
	struct sockaddr_un addr;
	int rc = unix_address(&addr, path);

	if (rc < 0) {
		return rc;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd < 0 ? -errno : fd;
}

/* Listening TCP socket on one address of `host`. */
static int tcp_listen(const char *host, int port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *list;
	char service[12];
	int one = 1;

	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(host, service, &hints, &list) != 0) {
		return -EADDRNOTAVAIL;
	}
	int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -errno : fd;
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, 4) < 0) {
			rc = -errno;
			close(fd);
		}
	}
	freeaddrinfo(list);
	return rc;
}

static int open_monitors(struct resources *res, const char *run_dir)
{
	if (asprintf(&res->qmp_path, "%s/qmp.sock", run_dir) < 0 ||
	    asprintf(&res->qmp_tools_path, "%s/" RUNDIR_QMP, run_dir) < 0) {
		return fail(res, -ENOMEM, "out of memory");
	}
	res->env.qmp_fd = unix_listen(res->qmp_path);
	if (res->env.qmp_fd < 0) {
		return fail(res, res->env.qmp_fd, "%s: %s", res->qmp_path,
			    strerror(-res->env.qmp_fd));
	}
	res->env.qmp_tools_fd = unix_listen(res->qmp_tools_path);
	if (res->env.qmp_tools_fd < 0) {
		return fail(res, res->env.qmp_tools_fd, "%s: %s", res->qmp_tools_path,
			    strerror(-res->env.qmp_tools_fd));
	}
	return 0;
}

/* ---- VNC ---- */

static int open_vnc(struct resources *res, const struct config_graphics *gfx)
{
	if (gfx->type != CONFIG_GFX_VNC) {
		return 0;
	}
	res->env.vnc_socket = "/run/vnc.sock";
	if (gfx->socket) {
		res->vnc_fd = unix_listen(gfx->socket);
		if (res->vnc_fd < 0) {
			return fail(res, res->vnc_fd, "VNC socket %s: %s", gfx->socket,
				    strerror(-res->vnc_fd));
		}
		res->vnc_socket = strdup(gfx->socket);
		return res->vnc_socket ? 0 : fail(res, -ENOMEM, "out of memory");
	}
	const char *host = gfx->listen ? gfx->listen : "127.0.0.1";
	int first = gfx->port > 0 ? gfx->port : VNC_PORT_FIRST;
	int last = gfx->port > 0 ? gfx->port : VNC_PORT_LAST;
	for (int port = first; port <= last; port++) {
		res->vnc_fd = tcp_listen(host, port);
		if (res->vnc_fd >= 0) {
			res->vnc_port = port;
			return 0;
		}
		if (res->vnc_fd != -EADDRINUSE) {
			break;
		}
	}
	return fail(res, res->vnc_fd, "VNC on %s port %d: %s", host, first, strerror(-res->vnc_fd));
}

/* ---- disks ---- */

static int check_image(struct resources *res, const struct config_disk *disk, int fd)
{
	uint8_t head[IMAGE_HEADER];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0) {
		return fail(res, -errno, "disk %s: %s: %s", disk->target, disk->path, strerror(errno));
	}
	const char *why = image_check(disk->format, head, (size_t)n);
	return why ? fail(res, -EINVAL, "disk %s: %s: %s", disk->target, disk->path, why) : 0;
}

static int open_disk(struct resources *res, const struct config_disk *disk, unsigned int i)
{
	if (disk->path == NULL) {
		return 0;
	}
	int fd = open(disk->path, (disk->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		return fail(res, -errno, "disk %s: %s: %s", disk->target, disk->path, strerror(errno));
	}
	res->env.disk_fd[i] = fd;
	struct stat st;
	if (fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))) {
		return fail(res, -EINVAL, "disk %s: %s: neither a file nor a block device",
			    disk->target, disk->path);
	}
	res->env.disk_block[i] = S_ISBLK(st.st_mode);
	if (!disk->readonly) {
		/* Through /proc, so that it is the same file even if the name moved on. */
		char name[40];

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		res->env.disk_ro_fd[i] = open(name, O_RDONLY | O_CLOEXEC);
		if (res->env.disk_ro_fd[i] < 0) {
			return fail(res, -errno, "disk %s: %s: %s", disk->target, disk->path,
				    strerror(errno));
		}
	}
	return check_image(res, disk, fd);
}

/* ---- network ---- */

static int open_nic(struct resources *res, const struct config_nic *nic, uint32_t domid,
		    unsigned int i)
{
	const char *step = NULL;

	if (nic->type == CONFIG_NIC_USER) {
		int rc = usernet_sockets(&res->env.nic_fd[i], &res->usernet_fd[i]);

		return rc < 0 ? fail(res, rc, "network card %u: %s", i, strerror(-rc)) : 0;
	}
	if (nic->type != CONFIG_NIC_BRIDGE) {
		return 0;
	}
	if (nic->target) {
		snprintf(res->tap[i], IFNAMSIZ, "%s", nic->target);
	} else {
		snprintf(res->tap[i], IFNAMSIZ, "vif%u.%u-emu", (uint16_t)domid, i % 10);
	}
	int fd = tap_open(res->tap[i], nic->bridge, &step);
	if (fd < 0) {
		return fail(res, fd, "network card %u: bridge '%s', tap '%s': %s: %s", i, nic->bridge,
			    res->tap[i], step, strerror(-fd));
	}
	res->env.nic_fd[i] = fd;
	return 0;
}

/* ---- serial and parallel ports ---- */

static int open_sink(struct resources *res, const struct config_chardev *chr, int *qemu_fd)
{
	struct resources_sink *sink = &res->sinks[res->nr_sinks];
	int ends[2];
	int rc = logfile_open(&sink->file, chr->path, SERIAL_FILE_CAP, chr->append);

	sink->fd = -1;
	if (rc < 0) {
		return rc;
	}
	res->nr_sinks++;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	sink->fd = ends[0];
	*qemu_fd = ends[1];
	return 0;
}

static int open_unix_port(struct resources *res, const struct config_chardev *chr)
{
	if (!chr->listen) {
		return unix_connect(chr->path);
	}
	int fd = unix_listen(chr->path);
	if (fd >= 0) {
		res->unix_made[res->nr_unix++] = strdup(chr->path);
	}
	return fd;
}

static int open_ports(struct resources *res, const struct config_chardev *list, unsigned int nr,
		      int *fds, const char *what)
{
	for (unsigned int i = 0; i < nr; i++) {
		const struct config_chardev *chr = &list[i];
		int rc = 0;

		if (chr->type == CONFIG_CHR_FILE) {
			rc = open_sink(res, chr, &fds[i]);
		} else if (chr->type == CONFIG_CHR_DEV) {
			rc = fds[i] = open(chr->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
			rc = rc < 0 ? -errno : 0;
		} else if (chr->type == CONFIG_CHR_UNIX) {
			rc = fds[i] = open_unix_port(res, chr);
		}
		if (rc < 0) {
			return fail(res, rc, "%s port %u: %s: %s", what, chr->port, chr->path,
				    strerror(-rc));
		}
	}
	return 0;
}

/* ---- all of it ---- */

int resources_open(struct resources *res, const struct guest_config *cfg, uint32_t domid,
		   const char *run_dir)
{
	*res = (struct resources){ .vnc_fd = -1 };
	qemu_args_env_init(&res->env);
	/* All-ones in every byte is -1. */
	memset(res->usernet_fd, 0xff, sizeof(res->usernet_fd));
	res->env.domid = domid;
	int rc = open_monitors(res, run_dir);
	for (unsigned int i = 0; rc >= 0 && i < cfg->nr_disks; i++) {
		rc = open_disk(res, &cfg->disks[i], i);
	}
	for (unsigned int i = 0; rc >= 0 && i < cfg->nr_nics; i++) {
		rc = open_nic(res, &cfg->nics[i], domid, i);
	}
	if (rc >= 0) {
		rc = open_ports(res, cfg->serials, cfg->nr_serials, res->env.serial_fd, "serial");
	}
	if (rc >= 0) {
		rc = open_ports(res, cfg->parallels, cfg->nr_parallels, res->env.parallel_fd,
				"parallel");
	}
	if (rc >= 0) {
		rc = open_vnc(res, &cfg->graphics);
	}
	return rc < 0 ? rc : 0;
}

/* Calls fn for every descriptor that is QEMU's. */
static void each_inherited(struct resources *res, void (*fn)(int *fd, void *ctx), void *ctx)
{
	struct qemu_args_env *env = &res->env;

	fn(&env->qmp_fd, ctx);
	fn(&env->qmp_tools_fd, ctx);
	for (unsigned int i = 0; i < CONFIG_MAX_DISKS; i++) {
		fn(&env->disk_fd[i], ctx);
		fn(&env->disk_ro_fd[i], ctx);
	}
	for (unsigned int i = 0; i < CONFIG_MAX_NICS; i++) {
		fn(&env->nic_fd[i], ctx);
	}
	for (unsigned int i = 0; i < CONFIG_MAX_CHARDEVS; i++) {
		fn(&env->serial_fd[i], ctx);
		fn(&env->parallel_fd[i], ctx);
	}
}

struct keep_list {
	int *keep;
	size_t nr;
};

static void keep_one(int *fd, void *ctx)
{
	struct keep_list *list = ctx;

	if (*fd >= 0) {
		list->keep[list->nr++] = *fd;
	}
}

size_t resources_inherit(const struct resources *res, int keep[RESOURCES_KEEP_MAX])
{
	struct keep_list list = { .keep = keep };

	/* keep_one() only reads. */
	each_inherited((struct resources *)res, keep_one, &list);
	return list.nr;
}

static void close_one(int *fd, void *ctx)
{
	close_fd(fd);
}

void resources_handed_over(struct resources *res)
{
	each_inherited(res, close_one, NULL);
}

/* Removes a socket that we made, then forgets its name. */
static void drop_path(char **path)
{
	if (*path) {
		unlink(*path);
		free(*path);
		*path = NULL;
	}
}

void resources_close(struct resources *res)
{
	resources_handed_over(res);
	for (unsigned int i = 0; i < res->nr_sinks; i++) {
		close_fd(&res->sinks[i].fd);
		logfile_close(&res->sinks[i].file);
	}
	res->nr_sinks = 0;
	for (unsigned int i = 0; i < CONFIG_MAX_NICS; i++) {
		close_fd(&res->usernet_fd[i]);
	}
	close_fd(&res->vnc_fd);
	drop_path(&res->vnc_socket);
	for (unsigned int i = 0; i < res->nr_unix; i++) {
		drop_path(&res->unix_made[i]);
	}
	res->nr_unix = 0;
	drop_path(&res->qmp_path);
	drop_path(&res->qmp_tools_path);
}
