/*
 * Ending guests: shutdown, reboot, reset, destroy, and the buttons (trigger).
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>

#include "toolstack/domain.h"

#define DESTROY_WAIT_S 60
#define DESTROY_NAP_MS 200

/* A message in virsh's shape; a blank line follows each. */
static void destroy_say(struct cmd_line *line, const char *what)
{
	printf("Domain '%s' %s\n\n", line->args[0], what);
}

/*
 * Has the guest paravirtual drivers that listen to control/shutdown? A guest that set its event
 * callback but never wrote the feature node may still listen: the node is what decides.
 */
static bool destroy_has_pv(struct cmd_line *line, uint32_t domid, const char *feature)
{
	char *node = store_readf(&line->st, "/local/domain/%u/control/feature-%s", domid, feature);
	uint64_t callback = 0;
	bool announced = node != NULL && strcmp(node, "1") == 0;

	free(node);
	return announced &&
	       hvdom_param_get(&line->hv, domid, HVM_PARAM_CALLBACK_IRQ, &callback) == 0 &&
	       callback != 0;
}

static int destroy_ask_xenstore(struct cmd_line *line, uint32_t domid, const char *word)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", domid);
	return store_write(&line->st, path, word);
}

/* Wait for a domain to end (or to be replaced). Exit code. */
static int destroy_wait(struct cmd_line *line, uint32_t domid)
{
	const char *text = cmd_value(line, 't');
	int left_ms = (text != NULL ? atoi(text) : DESTROY_WAIT_S) * 1000;
	struct hvdom_info info;
	int rc;

	if (!cmd_has(line, 'w') && text == NULL) {
		return CMD_OK;
	}
	for (; left_ms > 0; left_ms -= DESTROY_NAP_MS) {
		struct timespec nap = {.tv_nsec = DESTROY_NAP_MS * 1000 * 1000};

		rc = hvdom_info(&line->hv, domid, &info);
		if (rc == -ESRCH || (rc == 0 && (info.shutdown || info.dying))) {
			return CMD_OK;
		}
		if (rc != 0) {
			return cmd_error(CMD_ERROR, "cannot watch the domain: %s", strerror(-rc));
		}
		nanosleep(&nap, NULL);
	}
	return cmd_error(CMD_TIMEOUT, "domain '%s' has not ended in time", line->args[0]);
}

/* "xenstore", "acpi" or NULL (choose). Result: 0, -EINVAL for another word. */
static int destroy_mode(const struct cmd_line *line, bool *xenstore, bool *acpi)
{
	const char *mode = cmd_value(line, 'm');

	*xenstore = mode == NULL || strcmp(mode, "xenstore") == 0 || strcmp(mode, "paravirt") == 0;
	*acpi = mode == NULL || strcmp(mode, "acpi") == 0;
	return *xenstore || *acpi ? 0 : -EINVAL;
}

/* The target of shutdown and reboot: a guest, not Domain 0, that has not ended yet. */
static int destroy_target(struct cmd_line *line, struct hvdom_info *info)
{
	int rc = cmd_domain(line, 0, info);

	if (rc != CMD_OK) {
		return rc;
	}
	if (info->domid == 0) {
		return cmd_error(CMD_ERROR,
				 "domain 0 is the system you are in: use its own commands");
	}
	if (info->dying) {
		return cmd_error(CMD_ERROR, "domain '%s' is being destroyed", line->args[0]);
	}
	return CMD_OK;
}

int cmd_shutdown(struct cmd_line *line)
{
	struct hvdom_info info;
	bool xenstore;
	bool acpi;
	int code = destroy_target(line, &info);
	int rc;

	if (code != CMD_OK) {
		return code;
	}
	if (destroy_mode(line, &xenstore, &acpi) != 0) {
		return cmd_error(CMD_USAGE, "--mode %s: accepted: acpi, xenstore",
				 cmd_value(line, 'm'));
	}
	if (xenstore && (!acpi || destroy_has_pv(line, info.domid, "poweroff"))) {
		rc = destroy_ask_xenstore(line, info.domid, "poweroff");
	} else {
		rc = hvdom_trigger(&line->hv, info.domid, XEN_DOMCTL_SENDTRIGGER_POWER, 0);
		if (rc != 0 && xenstore) {
			rc = destroy_ask_xenstore(line, info.domid, "poweroff");
		}
	}
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "failed to shutdown domain '%s': %s", line->args[0],
				 strerror(-rc));
	}
	destroy_say(line, "is being shutdown");
	return destroy_wait(line, info.domid);
}

int cmd_reboot(struct cmd_line *line)
{
	struct hvdom_info info;
	int code = destroy_target(line, &info);
	int rc;

	if (code != CMD_OK) {
		return code;
	}
	if (cmd_has(line, 'm') && strcmp(cmd_value(line, 'm'), "xenstore") != 0) {
		return cmd_error(CMD_USAGE,
				 "--mode %s: a PC has no reboot button; accepted: xenstore",
				 cmd_value(line, 'm'));
	}
	if (!cmd_has(line, 'm') && !destroy_has_pv(line, info.domid, "reboot")) {
		return cmd_error(
			CMD_ERROR,
			"failed to reboot domain '%s': it has no paravirtual drivers to ask; "
			"'ostler reset' forces it",
			line->args[0]);
	}
	rc = destroy_ask_xenstore(line, info.domid, "reboot");
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "failed to reboot domain '%s': %s", line->args[0],
				 strerror(-rc));
	}
	destroy_say(line, "is being rebooted");
	return destroy_wait(line, info.domid);
}

int cmd_reset(struct cmd_line *line)
{
	struct hvdom_info info;
	int code = destroy_target(line, &info);
	int rc;

	if (code != CMD_OK) {
		return code;
	}
	rc = hvdom_shutdown(&line->hv, info.domid, SHUTDOWN_reboot);
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "failed to reset domain '%s': %s", line->args[0],
				 strerror(-rc));
	}
	destroy_say(line, "was reset");
	return CMD_OK;
}

int cmd_destroy(struct cmd_line *line)
{
	struct hvdom_info info;
	int code = cmd_domain(line, 0, &info);
	int rc;

	if (code != CMD_OK) {
		return code;
	}
	if (info.domid == 0) {
		return cmd_error(CMD_ERROR, "domain 0 cannot be destroyed");
	}
	rc = domain_destroy(&line->hv, &line->st, info.domid, 0);
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "failed to destroy domain '%s': %s", line->args[0],
				 strerror(-rc));
	}
	destroy_say(line, "destroyed");
	return CMD_OK;
}

int cmd_trigger(struct cmd_line *line)
{
	static const struct {
		const char *name;
		uint32_t trigger;
	} buttons[] = {
		{"nmi", XEN_DOMCTL_SENDTRIGGER_NMI},     {"reset", XEN_DOMCTL_SENDTRIGGER_RESET},
		{"init", XEN_DOMCTL_SENDTRIGGER_INIT},   {"power", XEN_DOMCTL_SENDTRIGGER_POWER},
		{"sleep", XEN_DOMCTL_SENDTRIGGER_SLEEP},
	};
	const char *wanted = line->nr_args > 1 ? line->args[1] : "nmi";
	uint32_t vcpu = line->nr_args > 2 ? (uint32_t)strtoul(line->args[2], NULL, 10) : 0;
	struct hvdom_info info;
	int code = destroy_target(line, &info);

	if (code != CMD_OK) {
		return code;
	}
	for (size_t i = 0; i < sizeof(buttons) / sizeof(buttons[0]); i++) {
		int rc;

		if (strcmp(buttons[i].name, wanted) != 0) {
			continue;
		}
		rc = hvdom_trigger(&line->hv, info.domid, buttons[i].trigger, vcpu);
		return rc == 0 ? CMD_OK
			       : cmd_error(CMD_ERROR, "failed to trigger %s on domain '%s': %s",
					   wanted, line->args[0], strerror(-rc));
	}
	return cmd_error(CMD_USAGE,
			 "unknown trigger '%s'; accepted: nmi, reset, init, power, sleep", wanted);
}
