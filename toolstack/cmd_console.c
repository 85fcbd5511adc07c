/*
 * console and ttyconsole: a guest's COM1 as a terminal.
 *
 * The supervisor writes where the port ended up: serial/0/tty names a pty or "unix:<path>". Bytes
 * pass
 * unchanged both ways; ^] (alone) leaves. The terminal is put back whatever happens.
 */
#include "toolstack/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "toolstack/out.h"

#define CONSOLE_ESCAPE  0x1d /* ^] */
#define CONSOLE_WAIT_MS 10000

static volatile sig_atomic_t console_stop;

static void console_on_signal(int signo)
{
	console_stop = 1;
}

/*
 * Path of the console's end, waiting a little for a guest that is just starting. malloc'd or NULL.
 */
static char *console_path(struct cmd_line *line, uint32_t domid, int wait_ms)
{
	char node[64];

	snprintf(node, sizeof(node), "/local/domain/%u/serial/0/tty", domid);
	if (wait_ms != 0) {
		store_wait(&line->st, node, NULL, wait_ms);
	}
	return store_read(&line->st, node);
}

static int console_open_socket(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int console_open(const char *path)
{
	struct termios raw;
	int fd;

	if (strncmp(path, "unix:", 5) == 0) {
		return console_open_socket(path + 5);
	}
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* A pty in cooked mode would echo the guest's output back to it. */
	if (fd >= 0 && tcgetattr(fd, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

static bool console_write_all(int fd, const char *buf, size_t len)
{
	while (len != 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR && !console_stop) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

/* From the keyboard to the guest. False: leave. */
static bool console_from_user(int fd, bool *input_open)
{
	char buf[256];
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf));
	char *escape;

	if (n < 0) {
		return errno == EINTR;
	}
	if (n == 0) {
		*input_open = false;
		return true;
	}
	escape = memchr(buf, CONSOLE_ESCAPE, (size_t)n);
	if (escape != NULL) {
		console_write_all(fd, buf, (size_t)(escape - buf));
		return false;
	}
	return console_write_all(fd, buf, (size_t)n);
}

/* From the guest to the screen. False: the guest's end is gone. */
static bool console_from_guest(int fd)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0) {
		return errno == EINTR || errno == EAGAIN;
	}
	return n > 0 && console_write_all(STDOUT_FILENO, buf, (size_t)n);
}

static void console_loop(int fd)
{
	bool input_open = true;

	while (!console_stop) {
		struct pollfd fds[2] = {
			{.fd = fd, .events = POLLIN},
			{.fd = input_open ? STDIN_FILENO : -1, .events = POLLIN},
		};

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR) {
				continue;
			}
			return;
		}
		if (fds[0].revents != 0 && !console_from_guest(fd)) {
			return;
		}
		if (fds[1].revents != 0 && !console_from_user(fd, &input_open)) {
			return;
		}
	}
}

static void console_run(int fd)
{
	struct sigaction act = {.sa_handler = console_on_signal};
	struct termios saved;
	struct termios raw;
	bool is_tty = tcgetattr(STDIN_FILENO, &saved) == 0;

	console_stop = 0;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	if (is_tty) {
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	console_loop(fd);
	if (is_tty) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	}
}

int cmd_console(struct cmd_line *line)
{
	struct hvdom_info info;
	char *path;
	int rc = cmd_domain(line, 0, &info);
	int fd;

	if (rc != CMD_OK) {
		return rc;
	}
	path = console_path(line, info.domid, CONSOLE_WAIT_MS);
	if (path == NULL || *path == '\0') {
		free(path);
		return cmd_error(CMD_ERROR, "domain '%s' has no serial console on a pty or socket",
				 line->args[0]);
	}
	fd = console_open(path);
	if (fd < 0) {
		rc = cmd_error(CMD_ERROR, "cannot open %s: %s", path, strerror(errno));
		free(path);
		return rc;
	}
	free(path);
	printf("Connected to domain '%s'\nEscape character is ^] (Ctrl + ])\n", line->args[0]);
	fflush(stdout);
	console_run(fd);
	close(fd);
	putchar('\n');
	return CMD_OK;
}

int cmd_ttyconsole(struct cmd_line *line)
{
	struct hvdom_info info;
	struct out_json json;
	char *path;
	int rc = cmd_domain(line, 0, &info);

	if (rc != CMD_OK) {
		return rc;
	}
	path = console_path(line, info.domid, 0);
	if (path == NULL) {
		return cmd_error(CMD_ERROR, "domain '%s' has no serial console on a pty or socket",
				 line->args[0]);
	}
	if (cmd_has(line, 'J')) {
		out_json_start(&json, stdout, OUT_JSON_LINES);
		out_json_object(&json, NULL);
		out_json_string(&json, "tty", path);
		out_json_close_object(&json);
	} else {
		printf("%s\n\n", path);
	}
	free(path);
	return CMD_OK;
}
