/*
 * Sessions with a guest's QEMU. See monitor.h.
 */
#include "toolstack/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "toolstack/lib/rundir.h"

int monitor_open(struct cmd_line *line, struct hvdom_info *info, struct qmp *qmp)
{
	char path[128];
	int code = cmd_domain(line, 0, info);
	int rc;

	if (code != CMD_OK) {
		return code;
	}
	rc = rundir_path(info->domid, RUNDIR_QMP, path, sizeof(path));
	if (rc == 0) {
		rc = qmp_connect(qmp, path, NULL, NULL);
	}
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "cannot reach the device model of domain '%s': %s",
				 line->args[0], strerror(-rc));
	}
	rc = qmp_handshake(qmp, MONITOR_TIMEOUT_MS);
	if (rc != 0) {
		code = monitor_error(line, qmp, rc);
		qmp_close(qmp);
	}
	return code;
}

int monitor_error(const struct cmd_line *line, const struct qmp *qmp, int rc)
{
	return cmd_error(rc == -ETIMEDOUT ? CMD_TIMEOUT : CMD_ERROR,
			 "the device model of domain '%s': %s", line->args[0],
			 qmp->error[0] != '\0' ? qmp->error : strerror(-rc));
}

int monitor_human(struct qmp *qmp, const char *command, char **answer)
{
	struct qmp_out out;
	struct qmp_msg reply;
	int rc;

	qmp_command(qmp, &out, "human-monitor-command");
	qmp_out_string(&out, "command-line", command);
	rc = qmp_call(qmp, &out, -1, MONITOR_TIMEOUT_MS, &reply);
	if (rc != 0) {
		return rc;
	}
	if (answer != NULL) {
		const char *text = YAJL_GET_STRING(reply.value);

		*answer = strdup(text != NULL ? text : "");
		rc = *answer != NULL ? 0 : -ENOMEM;
	}
	qmp_msg_free(&reply);
	return rc;
}
