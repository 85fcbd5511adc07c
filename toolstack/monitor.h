/*
 * The QMP monitor that a guest's supervisor keeps open for tools. Private to cmd_*.c.
 * The other end is a QEMU that a guest may have taken over: its answers are data, never trusted.
 */
#ifndef TOOLSTACK_MONITOR_H
#define TOOLSTACK_MONITOR_H

#include "dm-glue/qmp.h"
#include "toolstack/cmd.h"

#define MONITOR_TIMEOUT_MS 20000

/*
 * Find the domain named by argument 0 and connect to its monitor. Result: CMD_OK with an open session
 * (close it with qmp_close()), or an exit code after a message.
 */
int monitor_open(struct cmd_line *line, struct hvdom_info *info, struct qmp *qmp);

/* Say what a failed call was told; returns the exit code. */
int monitor_error(const struct cmd_line *line, const struct qmp *qmp, int rc);

/*
 * Run a command of QEMU's human monitor. *answer: malloc'd text, may be NULL when not wanted.
 * Result: 0 or an error of qmp_call().
 */
int monitor_human(struct qmp *qmp, const char *command, char **answer);

#endif
