/*
 * vcpu-set: bring more of a guest's vCPUs on line.
 *
 * QEMU plugs the processors in and the guest's ACPI says so to its operating system; xenstore says it to guests with
 * paravirtual drivers. Taking one away again is not in QEMU's power on this machine type.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dm-glue/qmp_cmds.h"
#include "toolstack/config.h"
#include "toolstack/monitor.h"

/* The nodes that say which vCPUs should be on line. */
static int vcpuset_store(struct cmd_line *line, uint32_t domid, unsigned int vcpus)
{
	for (unsigned int i = 0; i < vcpus; i++) {
		char path[STORE_PATH_MAX];
		int rc;

		snprintf(path, sizeof(path), "/local/domain/%u/cpu/%u/availability", domid, i);
		rc = store_write(&line->st, path, "online");
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

static int vcpuset_plug(struct cmd_line *line, struct qmp *qmp, uint32_t domid, unsigned int vcpus)
{
	unsigned int present = 0;
	int rc = qmp_count_cpus(qmp, &present, NULL);

	if (rc == 0 && vcpus < present) {
		return cmd_error(CMD_ERROR, "%s has %u vCPUs: they cannot be taken away, only the guest can leave them alone",
				 line->args[0], present);
	}
	if (rc == 0) {
		rc = qmp_plug_cpus(qmp, vcpus);
	}
	if (rc != 0) {
		return monitor_error(line, qmp, rc);
	}
	if (vcpuset_store(line, domid, vcpus) != 0) {
		return cmd_error(CMD_ERROR, "cannot write to xenstore");
	}
	return CMD_OK;
}

int cmd_vcpu_set(struct cmd_line *line)
{
	char *end;
	unsigned long vcpus = strtoul(line->args[1], &end, 10);
	struct hvdom_info info;
	struct qmp qmp;
	int code;

	if (*end != '\0' || vcpus == 0 || vcpus > CONFIG_MAX_VCPUS) {
		return cmd_error(CMD_USAGE, "'%s' is not a number of vCPUs", line->args[1]);
	}
	code = monitor_open(line, &info, &qmp);
	if (code != CMD_OK) {
		return code;
	}
	if (vcpus > info.max_vcpus) {
		code = cmd_error(CMD_ERROR, "%s can have %u vCPUs at most", line->args[0], info.max_vcpus);
	} else {
		code = vcpuset_plug(line, &qmp, info.domid, (unsigned int)vcpus);
	}
	qmp_close(&qmp);
	return code;
}
