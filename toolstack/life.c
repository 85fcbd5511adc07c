/*
 * The policy for guests that end, and carrying it out. See life.h.
 */
#include "toolstack/life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/sched.h>

#include "toolstack/document.h"
#include "toolstack/domain.h"
#include "toolstack/lib/hvcall.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/store.h"

enum life_end_kind life_kind_of_code(unsigned int shutdown_code)
{
	static const enum life_end_kind kinds[] = {
		[SHUTDOWN_poweroff] = LIFE_POWEROFF, [SHUTDOWN_reboot] = LIFE_REBOOT,
		[SHUTDOWN_suspend] = LIFE_SUSPEND,   [SHUTDOWN_crash] = LIFE_CRASH,
		[SHUTDOWN_watchdog] = LIFE_WATCHDOG, [SHUTDOWN_soft_reset] = LIFE_SOFT_RESET,
	};

	if (shutdown_code >= sizeof(kinds) / sizeof(kinds[0])) {
		return LIFE_CRASH;
	}
	return kinds[shutdown_code];
}

static enum life_verdict life_of_action(enum config_action action)
{
	switch (action) {
	case CONFIG_ACTION_DESTROY:
		return LIFE_DO_DESTROY;
	case CONFIG_ACTION_RESTART:
		return LIFE_DO_RESTART;
	case CONFIG_ACTION_PRESERVE:
		return LIFE_DO_PRESERVE;
	case CONFIG_ACTION_RENAME_RESTART:
		return LIFE_DO_RENAME_RESTART;
	}
	return LIFE_DO_DESTROY;
}

enum life_verdict life_decide(const struct guest_config *cfg, enum life_end_kind kind,
			      unsigned int alive_seconds)
{
	enum life_verdict verdict;

	switch (kind) {
	case LIFE_POWEROFF:
		return life_of_action(cfg->on_poweroff);
	case LIFE_REBOOT:
	case LIFE_SOFT_RESET:
		return life_of_action(cfg->on_reboot);
	case LIFE_SUSPEND:
	case LIFE_GONE:
		return LIFE_DO_NOTHING;
	case LIFE_CRASH:
	case LIFE_WATCHDOG:
	case LIFE_DM_DIED:
		break;
	}
	verdict = life_of_action(cfg->on_crash);
	if (alive_seconds >= LIFE_RESTART_MIN_SECONDS) {
		return verdict;
	}
	if (verdict == LIFE_DO_RENAME_RESTART) {
		return LIFE_DO_PRESERVE;
	}
	return verdict == LIFE_DO_RESTART ? LIFE_DO_DESTROY : verdict;
}

/* Start `ostler create` on the document, in a session of its own: it outlives the caller. */
static int life_spawn_create(const struct guest_config *cfg, const char *xml_path)
{
	const char *program = secure_getenv("OSTLER");
	char uuid[CONFIG_UUID_LEN];
	pid_t pid;

	config_uuid_text(cfg->uuid, uuid);
	program = program != NULL ? program : OSTLER_BINDIR "/ostler";
	pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid > 0) {
		return waitpid(pid, NULL, 0) == pid ? 0 : -errno;
	}
	/* Twice, so that nobody has to wait for it. */
	if (fork() != 0) {
		_exit(0);
	}
	setsid();
	execl(program, "ostler", "create", "--quiet", "--uuid", uuid, xml_path, (char *)NULL);
	_exit(127);
}

/* The guest's successor begins with what the guest has changed. Without that it starts all the same. */
static void life_keep_changes(struct hvcall *hv, uint32_t domid, const char *xml_path)
{
	int rc = document_update(hv, domid, xml_path);

	if (rc != 0) {
		fprintf(stderr, "ostler: %s: the guest's changes to its clock are lost: %s\n", xml_path,
			strerror(-rc));
	}
}

/* Free the name for the guest's successor. */
static int life_rename(struct store *st, uint32_t domid, const struct guest_config *cfg)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	return store_writef(st, path, "%s-%u", cfg->name, domid);
}

static int life_carry_out(struct hvcall *hv, struct store *st, uint32_t domid,
			  const struct guest_config *cfg, const char *xml_path,
			  enum life_verdict verdict)
{
	int rc;

	switch (verdict) {
	case LIFE_DO_NOTHING:
		return 0;
	case LIFE_DO_PRESERVE:
		/* After its QEMU died the domain may still run: stop it for whoever inspects it. */
		return hvdom_pause(hv, domid);
	case LIFE_DO_DESTROY:
		return domain_destroy(hv, st, domid, DOMAIN_KEEP_DM);
	case LIFE_DO_RESTART:
		life_keep_changes(hv, domid, xml_path);
		rc = domain_destroy(hv, st, domid, DOMAIN_KEEP_DM | DOMAIN_KEEP_XML);
		return rc != 0 ? rc : life_spawn_create(cfg, xml_path);
	case LIFE_DO_RENAME_RESTART:
		life_keep_changes(hv, domid, xml_path);
		rc = hvdom_pause(hv, domid);
		if (rc == 0) {
			rc = life_rename(st, domid, cfg);
		}
		return rc != 0 ? rc : life_spawn_create(cfg, xml_path);
	}
	return -EINVAL;
}

int life_end(uint32_t domid, const struct guest_config *cfg, const char *xml_path,
	     enum life_end_kind kind, unsigned int alive_seconds)
{
	enum life_verdict verdict = life_decide(cfg, kind, alive_seconds);
	struct hvcall hv;
	struct store st;
	int rc;

	if (verdict == LIFE_DO_NOTHING) {
		return 0;
	}
	rc = hvcall_open(&hv);
	if (rc != 0) {
		return rc;
	}
	rc = store_open(&st);
	if (rc == 0) {
		rc = life_carry_out(&hv, &st, domid, cfg, xml_path, verdict);
		store_close(&st);
	}
	hvcall_close(&hv);
	return rc;
}

const char *life_kind_name(enum life_end_kind kind)
{
	static const char *const names[] = {
		[LIFE_POWEROFF] = "powered off",      [LIFE_REBOOT] = "rebooted",
		[LIFE_SUSPEND] = "suspended",         [LIFE_CRASH] = "crashed",
		[LIFE_WATCHDOG] = "watchdog expired", [LIFE_SOFT_RESET] = "soft reset",
		[LIFE_DM_DIED] = "device model died", [LIFE_GONE] = "destroyed",
	};

	return names[kind];
}

const char *life_verdict_name(enum life_verdict verdict)
{
	static const char *const names[] = {
		[LIFE_DO_NOTHING] = "nothing",
		[LIFE_DO_DESTROY] = "destroy",
		[LIFE_DO_RESTART] = "restart",
		[LIFE_DO_PRESERVE] = "preserve",
		[LIFE_DO_RENAME_RESTART] = "rename-restart",
	};

	return names[verdict];
}
