/*
 * Supervisor of one guest's QEMU. Contract: supervise.h.
 *
 * Order of start: document, hypervisor, xenstore, run directory, log, files and sockets, QEMU, QMP,
 * running, VNC password, terminals, xenstore nodes, strip of QEMU's root, report. supervise_stop() is that list
 * backwards and works from any point of it.
 */
#include "dm-glue/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "dm-glue/dmlock.h"
#include "dm-glue/publish.h"
#include "dm-glue/qmp_cmds.h"
#include "dm-glue/resources.h"
#include "dm-glue/sandbox.h"
#include "toolstack/life.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/rundir.h"

#define DEFAULT_EMULATOR   "/usr/libexec/xen-qemu-system-i386"
#define LOG_CAP		   (1u << 20)
#define START_TIMEOUT_MS   180000 /* an emulated machine is slow */
#define STATE_TIMEOUT_MS   20000
#define QUIT_TIMEOUT_MS	   5000 /* it flushes its images */
#define TERM_TIMEOUT_MS	   2000
#define DOMAIN_POLL_MS	   2000	  /* in case xenstore does not tell us */
#define WATCH_TOKEN	   "ostler-dm"

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
	struct sandbox_child qemu;
	int log_pipe;	 /* QEMU's output, our end */
	int signal_fd;
	bool restricted; /* QEMU runs with -xen-domid-restrict */
	bool stopping;	 /* we were told to end the guest */
	time_t started;
	char last_line[256]; /* of QEMU's output, for error messages */
	size_t last_len;
	char error[512];
};

static void supervisor_init(struct supervisor *sv, const struct supervise_options *opt)
{
	*sv = (struct supervisor){
		.opt = opt,
		.lock_fd = -1,
		.log.fd = -1,
		.res.vnc_fd = -1,
		.qmp.fd = -1,
		.qemu = { .pid = -1, .pidfd = -1 },
		.log_pipe = -1,
		.signal_fd = -1,
	};
	qemu_args_env_init(&sv->res.env);
}

__attribute__((format(printf, 3, 4))) static int fail(struct supervisor *sv, int rc, const char *fmt,
						       ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sv->error, sizeof(sv->error), fmt, ap);
	va_end(ap);
	return rc < 0 ? rc : -EINVAL;
}

/* One line to whoever waits for the start. */
static void report(struct supervisor *sv, const char *line)
{
	if (sv->opt->report_fd >= 0) {
		dprintf(sv->opt->report_fd, "%s\n", line);
		close(sv->opt->report_fd);
	}
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
	int rc = sandbox_spawn(&sb, &sv->qemu, sv->error, sizeof(sv->error));
	close(ends[1]);
	resources_handed_over(&sv->res);
	if (rc == 0) {
		logfile_line(&sv->log, "QEMU has pid %d, uid %u", (int)sv->qemu.pid, sb.uid);
	}
	return rc;
}

/* ---- QEMU's output ---- */

/* Remembers the last line for error messages; control characters are not for terminals. */
static void remember_line(struct supervisor *sv, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			sv->last_line[sv->last_len] = '\0';
			sv->last_len = 0;
		} else if (sv->last_len < sizeof(sv->last_line) - 1) {
			sv->last_line[sv->last_len++] =
				bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
		}
	}
}

static void drain_log(struct supervisor *sv)
{
	char buf[4096];
	ssize_t n;

	while (sv->log_pipe >= 0 && (n = read(sv->log_pipe, buf, sizeof(buf))) > 0) {
		logfile_write(&sv->log, buf, (size_t)n);
		remember_line(sv, buf, (size_t)n);
	}
	if (sv->log_pipe >= 0 && n == 0) {
		close(sv->log_pipe);
		sv->log_pipe = -1;
	}
}

static void drain_sink(struct resources_sink *sink)
{
	char buf[8192];
	ssize_t n;

	while (sink->fd >= 0 && (n = read(sink->fd, buf, sizeof(buf))) > 0) {
		logfile_write(&sink->file, buf, (size_t)n);
	}
	if (sink->fd >= 0 && n == 0) {
		close(sink->fd);
		sink->fd = -1;
	}
}

static void drain_all(struct supervisor *sv)
{
	drain_log(sv);
	for (unsigned int i = 0; i < sv->res.nr_sinks; i++) {
		drain_sink(&sv->res.sinks[i]);
	}
}

/* ---- QEMU's end ---- */

/* Reaps QEMU if it ends within the time. False: it lives. */
static bool reap(struct supervisor *sv, int timeout_ms, char *how, size_t size)
{
	struct pollfd pfd = { .fd = sv->qemu.pidfd, .events = POLLIN };
	int status;

	if (sv->qemu.pid < 0) {
		return true;
	}
	if (poll(&pfd, 1, timeout_ms) <= 0 || waitpid(sv->qemu.pid, &status, WNOHANG) != sv->qemu.pid) {
		return false;
	}
	if (WIFSIGNALED(status)) {
		snprintf(how, size, "was killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	} else {
		snprintf(how, size, "exited with status %d", WEXITSTATUS(status));
	}
	close(sv->qemu.pidfd);
	sv->qemu = (struct sandbox_child){ .pid = -1, .pidfd = -1 };
	return true;
}

/* Ends QEMU: politely, less politely, for sure. */
static void stop_qemu(struct supervisor *sv)
{
	char how[96] = "";

	if (sv->qemu.pid < 0) {
		return;
	}
	bool gone = sv->qmp.fd >= 0 && qmp_quit(&sv->qmp) == 0 &&
		    reap(sv, QUIT_TIMEOUT_MS, how, sizeof(how));
	if (!gone) {
		kill(sv->qemu.pid, SIGTERM);
		gone = reap(sv, TERM_TIMEOUT_MS, how, sizeof(how));
	}
	if (!gone) {
		kill(sv->qemu.pid, SIGKILL);
		gone = reap(sv, -1, how, sizeof(how));
	}
	drain_all(sv);
	logfile_line(&sv->log, "QEMU %s", how);
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
	if (reap(sv, rc == -EPIPE ? 2000 : 0, how, sizeof(how))) {
		drain_log(sv);
		return fail(sv, rc, "QEMU %s%s%s", how, sv->last_line[0] ? ": " : "", sv->last_line);
	}
	drain_log(sv);
	return fail(sv, rc, "%s: %s", step, sv->qmp.error[0] ? sv->qmp.error : strerror(-rc));
}

static int wait_running(struct supervisor *sv)
{
	time_t limit = time(NULL) + START_TIMEOUT_MS / 1000;
	bool running = false;

	for (;;) {
		char status[32];
		int rc = qmp_query_status(&sv->qmp, &running, status, sizeof(status));

		drain_log(sv);
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

static int connect_qemu(struct supervisor *sv)
{
	int rc = qmp_connect(&sv->qmp, sv->res.qmp_path, on_event, sv);

	if (rc == 0) {
		rc = qmp_handshake(&sv->qmp, START_TIMEOUT_MS);
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

static int publish_display(struct supervisor *sv)
{
	const struct config_graphics *gfx = &sv->cfg->graphics;
	int rc = 0;

	if (gfx->type != CONFIG_GFX_VNC) {
		return 0;
	}
	if (gfx->passwd) {
		rc = qmp_vnc_password(&sv->qmp, gfx->passwd);
		if (rc < 0) {
			return start_failed(sv, rc, "VNC password");
		}
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
	int rc = publish_display(sv);

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

static int supervise_start(struct supervisor *sv)
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

static void supervise_stop(struct supervisor *sv)
{
	stop_qemu(sv);
	if (sv->cfg && sv->log.fd >= 0 && geteuid() == 0) {
		sandbox_kill_uid(sandbox_uid(sv->opt->domid));
	}
	drain_all(sv);
	qmp_close(&sv->qmp);
	resources_close(&sv->res);
	qemu_args_free(&sv->args);
	if (sv->log_pipe >= 0) {
		close(sv->log_pipe);
		sv->log_pipe = -1;
	}
}

/* ---- the loop ---- */

static void accept_vnc(struct supervisor *sv)
{
	int fd = accept4(sv->res.vnc_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		return;
	}
	if (qmp_vnc_add_client(&sv->qmp, fd) < 0) {
		logfile_line(&sv->log, "VNC client refused: %s", sv->qmp.error);
	}
	close(fd);
}

/* Has the domain ended? *kind says how. */
static bool domain_ended(struct supervisor *sv, enum life_end_kind *kind)
{
	struct hvdom_info info;
	int rc = hvdom_info(&sv->hv, sv->opt->domid, &info);

	if (rc == -ESRCH || (rc == 0 && info.dying)) {
		*kind = LIFE_GONE;
		return true;
	}
	if (rc < 0 || !info.shutdown) {
		return false;
	}
	*kind = life_kind_of_code(info.shutdown_code);
	/* A suspended guest is somebody else's business: QEMU and we stay. */
	return *kind != LIFE_SUSPEND;
}

static void drain_watches(struct supervisor *sv)
{
	char **event;

	while ((event = xs_check_watch(sv->store.xs)) != NULL) {
		free(event);
	}
}

enum slot { SLOT_SIGNAL, SLOT_QEMU, SLOT_LOG, SLOT_QMP, SLOT_VNC, SLOT_STORE, SLOT_SINKS };
#define SLOT_MAX (SLOT_SINKS + 2 * CONFIG_MAX_CHARDEVS)

static nfds_t fill_slots(struct supervisor *sv, struct pollfd slot[SLOT_MAX])
{
	const int fd[SLOT_SINKS] = {
		[SLOT_SIGNAL] = sv->signal_fd,	 [SLOT_QEMU] = sv->qemu.pidfd,
		[SLOT_LOG] = sv->log_pipe,	 [SLOT_QMP] = sv->qmp.fd,
		[SLOT_VNC] = sv->res.vnc_fd,	 [SLOT_STORE] = xs_fileno(sv->store.xs),
	};

	for (unsigned int i = 0; i < SLOT_SINKS; i++) {
		slot[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	}
	for (unsigned int i = 0; i < sv->res.nr_sinks; i++) {
		slot[SLOT_SINKS + i] =
			(struct pollfd){ .fd = sv->res.sinks[i].fd, .events = POLLIN };
	}
	return SLOT_SINKS + sv->res.nr_sinks;
}

/* Handles what poll() found. False: the guest has ended, *kind and `why` say how. */
static bool handle_slots(struct supervisor *sv, const struct pollfd *slot, enum life_end_kind *kind,
			 char *why, size_t size)
{
	char how[96];

	drain_all(sv);
	if (slot[SLOT_SIGNAL].revents) {
		snprintf(why, size, "the supervisor was told to stop");
		sv->stopping = true;
		*kind = LIFE_GONE;
		return false;
	}
	if (slot[SLOT_STORE].revents) {
		drain_watches(sv);
	}
	/* Before QEMU: a guest that powered off may take its QEMU along. */
	if (domain_ended(sv, kind)) {
		snprintf(why, size, "the domain ended: %s", life_kind_name(*kind));
		return false;
	}
	if (slot[SLOT_QEMU].revents && reap(sv, 0, how, sizeof(how))) {
		drain_all(sv);
		snprintf(why, size, "QEMU %s%s%s", how, sv->last_line[0] ? ": " : "", sv->last_line);
		*kind = LIFE_DM_DIED;
		return false;
	}
	if (slot[SLOT_QMP].revents && qmp_pump(&sv->qmp) < 0) {
		logfile_line(&sv->log, "monitor: %s", sv->qmp.error);
		qmp_close(&sv->qmp);
		/* Without its monitor QEMU cannot be driven; if it is ending, the pidfd says so. */
		if (sv->qemu.pid >= 0 && !reap(sv, 1000, how, sizeof(how))) {
			kill(sv->qemu.pid, SIGKILL);
			reap(sv, -1, how, sizeof(how));
		}
		snprintf(why, size, "QEMU %s", how);
		*kind = LIFE_DM_DIED;
		return false;
	}
	if (slot[SLOT_VNC].revents) {
		accept_vnc(sv);
	}
	return true;
}

static enum life_end_kind supervise_loop(struct supervisor *sv, char *why, size_t size)
{
	enum life_end_kind kind = LIFE_GONE;

	for (;;) {
		struct pollfd slot[SLOT_MAX];
		nfds_t nr = fill_slots(sv, slot);

		if (poll(slot, nr, DOMAIN_POLL_MS) < 0 && errno != EINTR) {
			snprintf(why, size, "poll: %s", strerror(errno));
			return LIFE_DM_DIED;
		}
		if (!handle_slots(sv, slot, &kind, why, size)) {
			return kind;
		}
	}
}

/* ---- the end ---- */

/* The guest is over: QEMU goes, then the policy decides about the domain. */
static void supervise_end(struct supervisor *sv, enum life_end_kind kind, const char *why)
{
	unsigned int alive = (unsigned int)(time(NULL) - sv->started);

	logfile_line(&sv->log, "%s after %u s", why, alive);
	(void)publish_end(&sv->store, sv->opt->domid, why);
	if (kind == LIFE_DM_DIED) {
		/* Nothing answers its I/O any more: no vCPU may go on waiting for it. */
		(void)hvdom_pause(&sv->hv, sv->opt->domid);
	}
	supervise_stop(sv);
	publish_remove(&sv->store, sv->opt->domid);
	dmlock_release(sv->opt->run_dir, sv->lock_fd);
	sv->lock_fd = -1;
	rmdir(sv->root_dir);
	if (sv->stopping) {
		/* Who told us to stop decides about the domain. */
		return;
	}
	enum life_verdict verdict = life_decide(sv->cfg, kind, alive);
	logfile_line(&sv->log, "%s: %s", life_kind_name(kind), life_verdict_name(verdict));
	int rc = life_end(sv->opt->domid, sv->cfg, sv->opt->document, kind, alive);
	if (rc < 0) {
		logfile_line(&sv->log, "%s failed: %s", life_verdict_name(verdict), strerror(-rc));
	}
}

static void supervisor_free(struct supervisor *sv)
{
	if (sv->signal_fd >= 0) {
		close(sv->signal_fd);
	}
	logfile_close(&sv->log);
	free(sv->root_dir);
	if (sv->store.xs != NULL) {
		store_close(&sv->store);
	}
	hvcall_close(&sv->hv);
	config_free(sv->cfg);
}

int supervise(const struct supervise_options *opt)
{
	struct supervisor sv;
	char line[600];
	char why[512] = "";

	supervisor_init(&sv, opt);
	int rc = supervise_start(&sv);
	if (rc < 0) {
		supervise_stop(&sv);
		logfile_line(&sv.log, "start failed: %s", sv.error);
		if (sv.store.xs != NULL) {
			publish_remove(&sv.store, opt->domid);
		}
		dmlock_release(opt->run_dir, sv.lock_fd);
		snprintf(line, sizeof(line), "error: %s", sv.error);
		report(&sv, line);
	} else {
		logfile_line(&sv.log, "ready");
		report(&sv, "ready");
		enum life_end_kind kind = supervise_loop(&sv, why, sizeof(why));
		supervise_end(&sv, kind, why);
	}
	supervisor_free(&sv);
	return rc < 0 ? 1 : 0;
}
