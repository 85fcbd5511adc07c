/*
 * How a supervisor starts. Contract: supervisor.h.
 *
 * The order is the table in start_run(): document, hypervisor, xenstore, run directory, log, files and
 * sockets, QEMU, QMP, running, then what others may know, and the strip of QEMU's root.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "dm-glue/dmlock.h"
#include "dm-glue/publish.h"
#include "dm-glue/qmp_cmds.h"
#include "dm-glue/supervisor.h"
#include "toolstack/lib/dm_cgroup.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/rundir.h"

#define DEFAULT_EMULATOR "/usr/libexec/xen-qemu-system-i386"
#define LOG_CAP		 (1u << 20)
#define START_TIMEOUT_MS 180000 /* an emulated machine is slow */
#define HANDSHAKE_TIMEOUT_MS 30000
#define STATE_TIMEOUT_MS 20000
#define USERNET_UID_OFFSET 40000 /* another user than QEMU, and than any other guest's QEMU */
#define WATCH_TOKEN	 "ostler-dm"

__attribute__((format(printf, 3, 4))) static int fail(struct supervisor *sv, int rc, const char *fmt,
						       ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sv->error, sizeof(sv->error), fmt, ap);
	va_end(ap);
	return rc < 0 ? rc : -EINVAL;
}

/* ---- start, step by step ---- */

static int load_document(struct supervisor *sv)
{
	struct config_diags diags = { 0 };
	int rc = config_load_file(sv->opt->document, &sv->cfg, &diags);

	for (size_t i = 0; rc < 0 && i < diags.nr; i++) {
		const struct config_diag *diag = &diags.list[i];

		if (diag->severity == CONFIG_ERROR) {
			fail(sv, rc, "%s:%u:%u: %s", sv->opt->document, diag->pos.line,
			     diag->pos.column, diag->text);
			break;
		}
	}
	config_diags_free(&diags);
	if (rc < 0 && sv->error[0] == '\0') {
		fail(sv, rc, "%s: %s", sv->opt->document, strerror(-rc));
	}
	return rc;
}

static int open_hypervisor(struct supervisor *sv)
{
	struct hvdom_info info;
	int rc = hvcall_open(&sv->hv);

	if (rc < 0) {
		return fail(sv, rc, "no hypervisor: %s", strerror(-rc));
	}
	rc = store_open(&sv->store);
	if (rc < 0) {
		return fail(sv, rc, "xenstore: %s", strerror(-rc));
	}
	rc = hvdom_info(&sv->hv, sv->opt->domid, &info);
	if (rc == 0 && (!info.hvm || info.dying)) {
		rc = -ESRCH;
	}
	return rc < 0 ? fail(sv, rc, "domain %u: %s", sv->opt->domid, strerror(-rc)) : 0;
}

/* Signals arrive in the poll loop. SIGPIPE is never wanted, SIGHUP has no meaning here. */
static int open_signals(struct supervisor *sv)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sv->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return sv->signal_fd < 0 ? fail(sv, -errno, "signalfd: %s", strerror(errno)) : 0;
}

static int open_run_dir(struct supervisor *sv)
{
	/* ostler made it; somebody at a shell may not have. */
	if (mkdir(sv->opt->run_dir, 0711) < 0 && errno != EEXIST) {
		return fail(sv, -errno, "%s: %s", sv->opt->run_dir, strerror(errno));
	}
	sv->lock_fd = dmlock_take(sv->opt->run_dir);
	if (sv->lock_fd == -EBUSY) {
		return fail(sv, -EBUSY, "domain %u already has a supervisor", sv->opt->domid);
	}
	if (sv->lock_fd < 0) {
		return fail(sv, sv->lock_fd, "%s: %s", sv->opt->run_dir, strerror(-sv->lock_fd));
	}
	if (asprintf(&sv->root_dir, "%s/root", sv->opt->run_dir) < 0) {
		sv->root_dir = NULL;
		return fail(sv, -ENOMEM, "out of memory");
	}
	if (mkdir(sv->root_dir, 0700) < 0 && errno != EEXIST) {
		return fail(sv, -errno, "%s: %s", sv->root_dir, strerror(errno));
	}
	return 0;
}

/* In the run directory a link to the log, which outlives the guest. */
static int link_log(struct supervisor *sv)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/" RUNDIR_DMLOG, sv->opt->run_dir);
	unlink(path);
	if (symlink(sv->log.path, path) < 0) {
		return fail(sv, -errno, "%s: %s", path, strerror(errno));
	}
	/* What libraries print. */
	dup2(sv->log.fd, STDOUT_FILENO);
	dup2(sv->log.fd, STDERR_FILENO);
	return 0;
}

static int open_log(struct supervisor *sv)
{
	char path[512];

	if (mkdir(sv->opt->log_dir, 0750) < 0 && errno != EEXIST) {
		return fail(sv, -errno, "%s: %s", sv->opt->log_dir, strerror(errno));
	}
	/* A guest's name is checked when its document is loaded, but not against being a path. */
	char name[128];
	snprintf(name, sizeof(name), "%s", sv->cfg->name);
	for (char *c = name; *c; c++) {
		*c = *c == '/' ? '_' : *c;
	}
	snprintf(path, sizeof(path), "%s/%s.log", sv->opt->log_dir, name);
	int rc = logfile_open(&sv->log, path, LOG_CAP, true);
	if (rc < 0) {
		return fail(sv, rc, "%s: %s", path, strerror(-rc));
	}
	logfile_line(&sv->log, "---- domain %u, supervisor %d, document %s", sv->opt->domid,
		     (int)getpid(), sv->opt->document);
	return link_log(sv);
}

/* Can Dom0's kernel restrict open hypervisor devices to one domain? Tried on descriptors of our own. */
static bool can_restrict(uint32_t domid)
{
	xenforeignmemory_handle *fmem = xenforeignmemory_open(NULL, 0);
	xenevtchn_handle *evtchn = xenevtchn_open(NULL, 0);
	bool can = fmem != NULL && evtchn != NULL &&
		   xenforeignmemory_restrict(fmem, (domid_t)domid) == 0 &&
		   xenevtchn_restrict(evtchn, (domid_t)domid) == 0;

	if (fmem != NULL) {
		xenforeignmemory_close(fmem);
	}
	if (evtchn != NULL) {
		xenevtchn_close(evtchn);
	}
	return can;
}

static int build_args(struct supervisor *sv)
{
	struct qemu_args_env *env = &sv->res.env;

	env->emulator = sv->cfg->emulator ? sv->cfg->emulator : DEFAULT_EMULATOR;
	env->kernel = sv->cfg->kernel ? "/boot/kernel" : NULL;
	env->initrd = sv->cfg->initrd ? "/boot/initrd" : NULL;
	if (geteuid() != 0) {
		env->kernel = sv->cfg->kernel;
		env->initrd = sv->cfg->initrd;
	}
	env->sandbox = sandbox_qemu_has_seccomp(env->emulator);
	env->domid_restrict = sv->restricted = can_restrict(sv->opt->domid);
	if (!sv->restricted) {
		logfile_line(&sv->log, "sandbox: this Dom0 kernel cannot restrict QEMU's hypervisor "
				       "descriptors to one domain");
	}
	int rc = qemu_args_build(sv->cfg, env, &sv->args);
	if (rc < 0) {
		return fail(sv, rc, "%s", sv->args.error);
	}
	for (size_t i = 0; i < sv->args.nr; i++) {
		logfile_line(&sv->log, "argument: %s", sv->args.argv[i]);
	}
	return 0;
}

/* A process for each card with user-mode networking. */
static int start_usernet(struct supervisor *sv, int log_fd)
{
	for (unsigned int i = 0; i < CONFIG_MAX_NICS; i++) {
		int net_fd = sv->res.usernet_fd[i];

		if (net_fd < 0) {
			continue;
		}
		sv->res.usernet_fd[i] = -1;
		int rc = usernet_start(&sv->usernet[i], net_fd,
				       sandbox_uid(sv->opt->domid) + USERNET_UID_OFFSET, sv->root_dir,
				       log_fd);
		if (rc < 0) {
			return fail(sv, rc, "network card %u: " USERNET_PROGRAM ": %s", i, strerror(-rc));
		}
		logfile_line(&sv->log, "network card %u: user networking has pid %d", i,
			     (int)sv->usernet[i].pid);
	}
	return 0;
}

/* By now it has either confined itself or given up. */
static int check_usernet(struct supervisor *sv)
{
	for (unsigned int i = 0; i < sv->cfg->nr_nics; i++) {
		if (sv->cfg->nics[i].type == CONFIG_NIC_USER && !usernet_alive(&sv->usernet[i])) {
			qemu_proc_drain(sv);
			return fail(sv, -EIO, "network card %u: user networking has ended: %s", i, sv->last_line);
		}
	}
	return 0;
}

static int start_qemu(struct supervisor *sv)
{
	int keep[RESOURCES_KEEP_MAX];
	int ends[2];
	bool ptys = false;

	for (unsigned int i = 0; i < sv->cfg->nr_serials; i++) {
		ptys |= sv->cfg->serials[i].type == CONFIG_CHR_PTY;
	}
	for (unsigned int i = 0; i < sv->cfg->nr_parallels; i++) {
		ptys |= sv->cfg->parallels[i].type == CONFIG_CHR_PTY;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return fail(sv, -errno, "pipe: %s", strerror(errno));
	}
	/* Only our end must not block; and there is room for what QEMU says before we listen. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
	sv->log_pipe = ends[0];
	struct sandbox sb = {
		.uid = sandbox_uid(sv->opt->domid),
		.root_dir = sv->root_dir,
		.exec_path = sv->args.argv[0],
		.argv = sv->args.argv,
		.keep = keep,
		.nr_keep = resources_inherit(&sv->res, keep),
		.log_fd = ends[1],
		.host_network = qemu_args_needs_network(sv->cfg),
		.ptys = ptys,
		.kernel = sv->cfg->kernel,
		.initrd = sv->cfg->initrd,
	};
	unsigned int left = geteuid() == 0 ? sandbox_kill_uid(sb.uid) : 0;
	if (left > 0) {
		logfile_line(&sv->log, "killed %u processes that uid %u had left", left, sb.uid);
	}
	int rc = start_usernet(sv, ends[1]);
	if (rc == 0) {
		rc = sandbox_spawn(&sb, &sv->qemu, sv->error, sizeof(sv->error));
	}
	close(ends[1]);
	resources_handed_over(&sv->res);
	if (rc < 0) {
		return rc;
	}
	logfile_line(&sv->log, "QEMU has pid %d, uid %u", (int)sv->qemu.pid, sb.uid);
	rc = dm_cgroup_join(DM_CGROUP_BASE, sv->opt->domid, sv->qemu.pid);
	if (rc < 0) {
		logfile_line(&sv->log, "sandbox: not available here: control group: %s",
			     strerror(-rc));
	}
	return 0;
}

/* ---- waiting until QEMU is ready ---- */

static void on_event(void *ctx, const char *name, yajl_val data)
{
	struct supervisor *sv = ctx;
	const char *reason = qmp_get_string(data, "reason");
	const char *action = qmp_get_string(data, "action");
	const char *device = qmp_get_string(data, "device");

	logfile_line(&sv->log, "event %.64s%s%.64s%s%.64s%s%.64s", name, reason ? " reason " : "",
		     reason ? reason : "", action ? " action " : "", action ? action : "",
		     device ? " device " : "", device ? device : "");
}

/* A QMP step failed during the start: the best explanation that can be had. */
static int start_failed(struct supervisor *sv, int rc, const char *step)
{
	char how[96];

	/* A QEMU that ends closes its monitor first. */
	if (qemu_proc_reap(sv, rc == -EPIPE ? 2000 : 0, how, sizeof(how))) {
		qemu_proc_drain(sv);
		return fail(sv, rc, "QEMU %s%s%s", how, sv->last_line[0] ? ": " : "", sv->last_line);
	}
	qemu_proc_drain(sv);
	return fail(sv, rc, "%s: %s", step, sv->qmp.error[0] ? sv->qmp.error : strerror(-rc));
}

static int wait_running(struct supervisor *sv)
{
	time_t limit = time(NULL) + START_TIMEOUT_MS / 1000;
	bool running = false;

	for (;;) {
		char status[32];
		int rc = qmp_query_status(&sv->qmp, &running, status, sizeof(status));

		qemu_proc_drain(sv);
		if (rc < 0) {
			return start_failed(sv, rc, "QEMU's monitor");
		}
		if (running) {
			break;
		}
		if (time(NULL) >= limit) {
			return fail(sv, -ETIMEDOUT, "QEMU does not run, its state is '%s'", status);
		}
		usleep(20000);
	}
	int rc = sv->restricted ? publish_running(&sv->store, sv->opt->domid) :
				  publish_wait_running(&sv->store, sv->opt->domid, STATE_TIMEOUT_MS);
	return rc < 0 ? fail(sv, rc, "waiting for QEMU's state in xenstore: %s", strerror(-rc)) : 0;
}

/* Until QEMU greets. Watches also for its end, and for a signal to us: whoever started us may lose patience. */
static int wait_greeting(struct supervisor *sv)
{
	struct pollfd slot[] = {
		{ .fd = sv->qmp.fd, .events = POLLIN },
		{ .fd = sv->qemu.pidfd, .events = POLLIN },
		{ .fd = sv->signal_fd, .events = POLLIN },
		{ .fd = sv->log_pipe, .events = POLLIN },
	};
	time_t limit = time(NULL) + START_TIMEOUT_MS / 1000;

	while (time(NULL) < limit) {
		if (poll(slot, 4, 1000) < 0 && errno != EINTR) {
			return -errno;
		}
		qemu_proc_drain(sv);
		slot[3].fd = sv->log_pipe;
		if (slot[2].revents) {
			return -EINTR;
		}
		if (slot[0].revents || slot[1].revents) {
			return 0;
		}
	}
	return -ETIMEDOUT;
}

static int connect_qemu(struct supervisor *sv)
{
	int rc = qmp_connect(&sv->qmp, sv->res.qmp_path, on_event, sv);

	if (rc == 0) {
		rc = wait_greeting(sv);
	}
	if (rc == 0) {
		rc = qmp_handshake(&sv->qmp, HANDSHAKE_TIMEOUT_MS);
	}
	if (rc < 0) {
		return start_failed(sv, rc, "QEMU's monitor");
	}
	logfile_line(&sv->log, "QEMU %s answers", sv->qmp.version);
	return wait_running(sv);
}

static int publish_terminals(struct supervisor *sv)
{
	for (unsigned int i = 0; i < sv->cfg->nr_serials; i++) {
		char label[24], tty[64];

		if (sv->cfg->serials[i].type != CONFIG_CHR_PTY) {
			continue;
		}
		snprintf(label, sizeof(label), "serial%u", sv->cfg->serials[i].port);
		int rc = qmp_query_chardev_pty(&sv->qmp, label, tty, sizeof(tty));
		if (rc < 0) {
			return start_failed(sv, rc, label);
		}
		rc = publish_serial(&sv->store, sv->opt->domid, sv->cfg->serials[i].port, tty);
		if (rc < 0) {
			return fail(sv, rc, "xenstore: %s", strerror(-rc));
		}
		logfile_line(&sv->log, "serial port %u is %s", sv->cfg->serials[i].port, tty);
	}
	return 0;
}

/* Up-call of vnc.c: one end of a connection for QEMU. */
static int attach_vnc(void *ctx, int fd)
{
	struct supervisor *sv = ctx;

	return qmp_vnc_add_client(&sv->qmp, fd);
}

static int publish_display(struct supervisor *sv)
{
	const struct config_graphics *gfx = &sv->cfg->graphics;
	int rc = 0;

	if (gfx->type != CONFIG_GFX_VNC) {
		return 0;
	}
	rc = vnc_init(&sv->vnc, gfx->passwd, attach_vnc, sv);
	if (rc < 0) {
		return fail(sv, rc, "VNC: %s", strerror(-rc));
	}
	const char *listen = gfx->listen ? gfx->listen : "127.0.0.1";
	if (sv->res.vnc_port > 0) {
		rc = publish_vnc(&sv->store, sv->opt->domid, listen, sv->res.vnc_port);
		logfile_line(&sv->log, "VNC on %s port %d", listen, sv->res.vnc_port);
	} else {
		rc = publish_vnc_socket(&sv->store, sv->opt->domid, gfx->socket);
		logfile_line(&sv->log, "VNC on %s", gfx->socket);
	}
	return rc < 0 ? fail(sv, rc, "xenstore: %s", strerror(-rc)) : 0;
}

static int finish_start(struct supervisor *sv)
{
	int rc = check_usernet(sv);

	if (rc == 0) {
		rc = publish_display(sv);
	}
	if (rc == 0) {
		rc = publish_terminals(sv);
	}
	if (rc < 0) {
		return rc;
	}
	rc = publish_pid(&sv->store, sv->opt->domid, sv->qemu.pid);
	if (rc < 0) {
		return fail(sv, rc, "xenstore: %s", strerror(-rc));
	}
	rc = sandbox_strip(sv->qemu.pid);
	if (rc < 0) {
		return fail(sv, rc, "emptying QEMU's root: %s", strerror(-rc));
	}
	if (!xs_watch(sv->store.xs, "@releaseDomain", WATCH_TOKEN)) {
		return fail(sv, -errno, "watching xenstore: %s", strerror(errno));
	}
	sv->started = time(NULL);
	return 0;
}

static int open_resources(struct supervisor *sv)
{
	int rc = resources_open(&sv->res, sv->cfg, sv->opt->domid, sv->opt->run_dir);

	return rc < 0 ? fail(sv, rc, "%s", sv->res.error) : 0;
}

static int prepare_store(struct supervisor *sv)
{
	int rc = publish_prepare(&sv->store, sv->opt->domid);

	return rc < 0 ? fail(sv, rc, "xenstore: %s", strerror(-rc)) : 0;
}

int start_run(struct supervisor *sv)
{
	static int (*const steps[])(struct supervisor *) = {
		load_document, open_hypervisor, open_signals,  open_run_dir, open_log, open_resources,
		build_args,    prepare_store,	start_qemu,    connect_qemu, finish_start,
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int rc = steps[i](sv);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}
