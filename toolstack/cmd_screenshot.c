/*
 * screenshot: a picture of the guest's screen, through the monitor that the
 * supervisor keeps for tools.
 *
 * QEMU cannot open files; it writes the picture (PPM, which every QEMU can) into a memory file of
 * ours, passed over the socket, and we turn it into PNG.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/monitor.h"
#include "toolstack/png.h"

#define SCREENSHOT_MAX ((off_t)PNG_MAX_SIDE * 4096 * 3)

/* Put the descriptor into QEMU's set *set; -1: a new one. */
static int screenshot_add_fd(struct qmp *qmp, int fd, int64_t *set)
{
	struct qmp_out out;
	struct qmp_msg reply;
	int rc;

	qmp_command(qmp, &out, "add-fd");
	if (*set >= 0) {
		qmp_out_int(&out, "fdset-id", *set);
	}
	rc = qmp_call(qmp, &out, fd, MONITOR_TIMEOUT_MS, &reply);
	if (rc != 0) {
		return rc;
	}
	if (!qmp_get_int(reply.value, "fdset-id", set)) {
		rc = -EPROTO;
	}
	qmp_msg_free(&reply);
	return rc;
}

/*
 * QEMU picks from a set by access mode, and its versions differ in the one they open with: offer
 * both.
 */
static int screenshot_add_fds(struct qmp *qmp, int fd, int64_t *set)
{
	char path[40];
	int write_only;
	int rc = screenshot_add_fd(qmp, fd, set);

	if (rc != 0) {
		return rc;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	write_only = open(path, O_WRONLY | O_CLOEXEC);
	if (write_only < 0) {
		return -errno;
	}
	rc = screenshot_add_fd(qmp, write_only, set);
	close(write_only);
	return rc;
}

static int screenshot_ask(struct qmp *qmp, int fd)
{
	struct qmp_out out;
	char name[40];
	int64_t set = -1;
	int rc = screenshot_add_fds(qmp, fd, &set);

	if (rc != 0) {
		return rc;
	}
	snprintf(name, sizeof(name), "/dev/fdset/%lld", (long long)set);
	qmp_command(qmp, &out, "screendump");
	qmp_out_string(&out, "filename", name);
	rc = qmp_call(qmp, &out, -1, MONITOR_TIMEOUT_MS, NULL);
	if (rc != 0) {
		return rc;
	}
	/* A set left behind would cost QEMU one descriptor for each picture. */
	qmp_command(qmp, &out, "remove-fd");
	qmp_out_int(&out, "fdset-id", set);
	return qmp_call(qmp, &out, -1, MONITOR_TIMEOUT_MS, NULL);
}

/* The picture in the memory file, as PNG. */
static int screenshot_convert(int fd, uint8_t **png, size_t *len)
{
	struct stat st;
	uint8_t *ppm;
	int rc;

	/* A copy is looked at: QEMU may still hold the other end. */
	if (fstat(fd, &st) != 0) {
		return -errno;
	}
	if (st.st_size == 0 || st.st_size > SCREENSHOT_MAX) {
		return -EPROTO;
	}
	ppm = malloc((size_t)st.st_size);
	if (ppm == NULL) {
		return -ENOMEM;
	}
	rc = pread(fd, ppm, (size_t)st.st_size, 0) == st.st_size ? 0 : -EIO;
	if (rc == 0) {
		rc = png_from_ppm(ppm, (size_t)st.st_size, png, len);
	}
	free(ppm);
	return rc;
}

static int screenshot_save(const char *path, const uint8_t *png, size_t len)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	int rc = 0;

	if (f == NULL) {
		return -errno;
	}
	if (fwrite(png, 1, len, f) != len) {
		rc = errno != 0 ? -errno : -EIO;
	}
	if (f != stdout && fclose(f) != 0 && rc == 0) {
		rc = -errno;
	}
	return rc;
}

/* PNG of the screen, or an exit code with the reason said. */
static int screenshot_take(struct cmd_line *line, struct qmp *qmp, uint8_t **png, size_t *len)
{
	int fd = memfd_create("screenshot", MFD_CLOEXEC);
	int code = CMD_OK;
	int rc;

	if (fd < 0) {
		return cmd_error(CMD_ERROR, "cannot make a file in memory: %s", strerror(errno));
	}
	rc = screenshot_ask(qmp, fd);
	if (rc != 0) {
		code = monitor_error(line, qmp, rc);
		goto close_fd;
	}
	rc = screenshot_convert(fd, png, len);
	if (rc != 0) {
		code = cmd_error(CMD_ERROR, "the picture cannot be used: %s", strerror(-rc));
	}
close_fd:
	close(fd);
	return code;
}

int cmd_screenshot(struct cmd_line *line)
{
	struct hvdom_info info;
	uint8_t *png = NULL;
	struct qmp qmp;
	char name[40];
	const char *path = name;
	size_t len = 0;
	int code = monitor_open(line, &info, &qmp);
	int rc;

	if (code != CMD_OK) {
		return code;
	}
	snprintf(name, sizeof(name), "screenshot-%u.png", info.domid);
	if (line->nr_args > 1) {
		path = line->args[1];
	}
	code = screenshot_take(line, &qmp, &png, &len);
	qmp_close(&qmp);
	if (code != CMD_OK) {
		return code;
	}
	rc = screenshot_save(path, png, len);
	free(png);
	if (rc != 0) {
		return cmd_error(CMD_ERROR, "cannot write %s: %s", path, strerror(-rc));
	}
	if (strcmp(path, "-") != 0) {
		printf("Screenshot saved to %s, with type of image/png\n", path);
	}
	return CMD_OK;
}
