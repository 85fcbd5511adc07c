/*
 * Supervisor of one guest's QEMU: the loop while it runs, and the end. Contract: supervise.h. The start is in
 * start.c; supervise_stop() undoes it from any point.
 */
#include "dm-glue/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dm-glue/dmlock.h"
#include "dm-glue/publish.h"
#include "dm-glue/qmp_cmds.h"
#include "dm-glue/supervisor.h"
#include "toolstack/life.h"
#include "toolstack/lib/dm_cgroup.h"
#include "toolstack/lib/hvdom.h"

#define DOMAIN_POLL_MS 2000 /* in case xenstore does not tell us */

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
	memset(sv->res.usernet_fd, 0xff, sizeof(sv->res.usernet_fd));
}

/* One line to whoever waits for the start. */
static void report(struct supervisor *sv, const char *line)
{
	if (sv->opt->report_fd >= 0) {
		dprintf(sv->opt->report_fd, "%s\n", line);
		close(sv->opt->report_fd);
	}
}

static void supervise_stop(struct supervisor *sv)
{
	qemu_proc_stop(sv);
	if (sv->cfg && sv->log.fd >= 0 && geteuid() == 0) {
		sandbox_kill_uid(sandbox_uid(sv->opt->domid));
	}
	qemu_proc_drain(sv);
	for (unsigned int i = 0; i < CONFIG_MAX_NICS; i++) {
		usernet_stop(&sv->usernet[i]);
	}
	dm_cgroup_remove(DM_CGROUP_BASE, sv->opt->domid);
	vnc_close(&sv->vnc);
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
	int rc = vnc_accept(&sv->vnc, sv->res.vnc_fd);

	if (rc < 0 && rc != -EAGAIN) {
		logfile_line(&sv->log, "VNC client turned away: %s",
			     sv->qmp.error[0] ? sv->qmp.error : strerror(-rc));
	}
}

/* A guest can live without its network: its end is only noted. */
static void watch_usernet(struct supervisor *sv)
{
	for (unsigned int i = 0; i < CONFIG_MAX_NICS; i++) {
		if (sv->usernet[i].pid != 0 && !usernet_alive(&sv->usernet[i])) {
			logfile_line(&sv->log, "network card %u: user networking has ended", i);
		}
	}
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

enum slot {
	SLOT_SIGNAL,
	SLOT_QEMU,
	SLOT_LOG,
	SLOT_QMP,
	SLOT_VNC, /* the listener */
	SLOT_STORE,
	SLOT_CLIENTS,
	SLOT_SINKS = SLOT_CLIENTS + VNC_SLOTS,
};
#define SLOT_MAX (SLOT_SINKS + 2 * CONFIG_MAX_CHARDEVS)

static nfds_t fill_slots(struct supervisor *sv, struct pollfd slot[SLOT_MAX])
{
	const int fd[SLOT_CLIENTS] = {
		[SLOT_SIGNAL] = sv->signal_fd,	 [SLOT_QEMU] = sv->qemu.pidfd,
		[SLOT_LOG] = sv->log_pipe,	 [SLOT_QMP] = sv->qmp.fd,
		[SLOT_VNC] = sv->res.vnc_fd,	 [SLOT_STORE] = xs_fileno(sv->store.xs),
	};

	for (unsigned int i = 0; i < SLOT_CLIENTS; i++) {
		slot[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	}
	vnc_poll_fill(&sv->vnc, slot + SLOT_CLIENTS);
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

	qemu_proc_drain(sv);
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
	if (slot[SLOT_QEMU].revents && qemu_proc_reap(sv, 0, how, sizeof(how))) {
		qemu_proc_drain(sv);
		snprintf(why, size, "QEMU %s%s%s", how, sv->last_line[0] ? ": " : "", sv->last_line);
		*kind = LIFE_DM_DIED;
		return false;
	}
	if (slot[SLOT_QMP].revents && qmp_pump(&sv->qmp) < 0) {
		logfile_line(&sv->log, "monitor: %s", sv->qmp.error);
		qmp_close(&sv->qmp);
		/* Without its monitor QEMU cannot be driven; if it is ending, the pidfd says so. */
		if (sv->qemu.pid >= 0 && !qemu_proc_reap(sv, 1000, how, sizeof(how))) {
			kill(sv->qemu.pid, SIGKILL);
			qemu_proc_reap(sv, -1, how, sizeof(how));
		}
		snprintf(why, size, "QEMU %s", how);
		*kind = LIFE_DM_DIED;
		return false;
	}
	watch_usernet(sv);
	vnc_poll_done(&sv->vnc, slot + SLOT_CLIENTS);
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
	int rc = start_run(&sv);
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
