/*
 * change-media and eject: what is in a guest's CD-ROM and floppy drives.
 *
 * QEMU opens no files: the image is opened here and travels as a descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dm-glue/qmp_cmds.h"
#include "toolstack/monitor.h"

static bool media_known_format(const char *format)
{
	static const char *const formats[] = {"raw", "qcow2", "qed", "vpc", "vmdk", "vdi"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i], format) == 0) {
			return true;
		}
	}
	return false;
}

static int media_insert(struct cmd_line *line, struct qmp *qmp, const char *format)
{
	const char *path = line->args[2];
	/* A floppy may be written to, a CD never. */
	bool read_only = line->args[1][0] != 'f' || cmd_has(line, 'r');
	int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	int rc;

	if (fd < 0) {
		return cmd_error(CMD_ERROR, "cannot open %s: %s", path, strerror(errno));
	}
	rc = qmp_change_medium(qmp, line->args[1], fd, format, read_only);
	close(fd);
	if (rc != 0) {
		return monitor_error(line, qmp, rc);
	}
	puts("Successfully inserted media.\n");
	return CMD_OK;
}

static int media_eject(struct cmd_line *line, struct qmp *qmp)
{
	int rc = qmp_eject(qmp, line->args[1], cmd_has(line, 'f'));

	if (rc != 0) {
		return monitor_error(line, qmp, rc);
	}
	puts("Successfully ejected media.\n");
	return CMD_OK;
}

int cmd_change_media(struct cmd_line *line)
{
	const char *format = cmd_has(line, 'o') ? cmd_value(line, 'o') : "raw";
	bool eject = cmd_has(line, 'e') || line->nr_args < 3;
	struct hvdom_info info;
	struct qmp qmp;
	int code;

	if (!media_known_format(format)) {
		return cmd_error(CMD_USAGE,
				 "--format %s: accepted: raw, qcow2, qed, vpc, vmdk, vdi", format);
	}
	if (!eject && line->args[2][0] == '\0') {
		return cmd_error(CMD_USAGE, "the name of an image is needed, or --eject");
	}
	code = monitor_open(line, &info, &qmp);
	if (code != CMD_OK) {
		return code;
	}
	code = eject ? media_eject(line, &qmp) : media_insert(line, &qmp, format);
	qmp_close(&qmp);
	return code;
}

int cmd_eject(struct cmd_line *line)
{
	line->nr_args = 2;
	return cmd_change_media(line);
}
