/*
 * pause and unpause.
 */
#include "toolstack/cmd.h"

#include <stdio.h>
#include <string.h>

static int pause_common(struct cmd_line *line, int (*op)(struct hvcall *hv, uint32_t domid),
			bool want_paused, const char *verb, const char *done)
{
	struct hvdom_info info;
	int rc = cmd_domain(line, 0, &info);

	if (rc != CMD_OK) {
		return rc;
	}
	if (info.domid == 0) {
		return cmd_error(CMD_ERROR, "domain 0 is the system you are in");
	}
	/* The hypervisor counts pauses; people do not. */
	if (info.paused == want_paused) {
		return cmd_error(CMD_ERROR, "failed to %s domain '%s': it is %s already", verb,
				 line->args[0], want_paused ? "paused" : "running");
	}
	rc = op(&line->hv, info.domid);
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "failed to %s domain '%s': %s", verb, line->args[0],
				 strerror(-rc));
	}
	printf("Domain '%s' %s\n\n", line->args[0], done);
	return CMD_OK;
}

int cmd_pause(struct cmd_line *line)
{
	return pause_common(line, hvdom_pause, true, "suspend", "suspended");
}

int cmd_unpause(struct cmd_line *line)
{
	return pause_common(line, hvdom_unpause, false, "resume", "resumed");
}
