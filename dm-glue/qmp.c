/* QMP session. Contract: qmp.h. */
#include "dm-glue/qmp.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

__attribute__((format(printf, 3, 4))) static int fail(struct qmp *qmp, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(qmp->error, sizeof(qmp->error), fmt, ap);
	va_end(ap);
	return rc;
}

void qmp_init(struct qmp *qmp, int fd, qmp_event_fn on_event, void *event_ctx)
{
	*qmp = (struct qmp){
		.fd = fd, .next_id = 1, .on_event = on_event, .event_ctx = event_ctx,
	};
}

int qmp_connect(struct qmp *qmp, const char *path, qmp_event_fn on_event, void *event_ctx)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	qmp_init(qmp, -1, on_event, event_ctx);
	if (strlen(path) >= sizeof(addr.sun_path)) {
		return fail(qmp, -ENAMETOOLONG, "%s: name too long for a socket", path);
	}
	strcpy(addr.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return fail(qmp, -errno, "socket: %s", strerror(errno));
	}
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int err = errno;

		close(fd);
		return fail(qmp, -err, "%s: %s", path, strerror(err));
	}
	qmp->fd = fd;
	return 0;
}

void qmp_close(struct qmp *qmp)
{
	if (qmp->fd >= 0) {
		close(qmp->fd);
		qmp->fd = -1;
	}
	qmp_wire_free(&qmp->wire);
}

/* One read into the wire. Blocks at most until `deadline` (0: not at all). */
static int session_read(struct qmp *qmp, int64_t deadline)
{
	char buf[8192];
	struct pollfd pfd = { .fd = qmp->fd, .events = POLLIN };
	int64_t left = deadline ? deadline - now_ms() : 0;

	if (qmp->fd < 0) {
		return fail(qmp, -EPIPE, "the connection is closed");
	}
	int n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	if (n == 0) {
		return deadline ? fail(qmp, -ETIMEDOUT, "no answer in time") : -EAGAIN;
	}
	if (n < 0) {
		return errno == EINTR ? 0 : fail(qmp, -errno, "poll: %s", strerror(errno));
	}
	ssize_t got = recv(qmp->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (got < 0) {
		return errno == EAGAIN || errno == EINTR ?
			       0 :
			       fail(qmp, errno == ECONNRESET ? -EPIPE : -errno, "%s", strerror(errno));
	}
	if (got == 0) {
		return fail(qmp, -EPIPE, "QEMU closed the connection");
	}
	int rc = qmp_wire_feed(&qmp->wire, buf, (size_t)got);
	return rc < 0 ? fail(qmp, rc, "message too long") : 0;
}

/* The next message, waiting until `deadline`. */
static int session_next(struct qmp *qmp, int64_t deadline, struct qmp_msg *msg)
{
	for (;;) {
		int rc = qmp_wire_next(&qmp->wire, msg);

		if (rc == -EPROTO) {
			return fail(qmp, rc, "not a QMP message");
		}
		if (rc == 0) {
			return 0;
		}
		rc = session_read(qmp, deadline);
		if (rc < 0) {
			return rc;
		}
	}
}

static void deliver_event(struct qmp *qmp, const struct qmp_msg *msg)
{
	if (msg->kind == QMP_EVENT && qmp->on_event != NULL) {
		qmp->on_event(qmp->event_ctx, msg->name, msg->value);
	}
}

/* Sends all of it; QEMU reads its monitor all the time, so a full socket is a dead QEMU. */
static int session_send(struct qmp *qmp, const char *text, size_t len, int pass_fd, int64_t deadline)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .space = { 0 } };

	while (len > 0) {
		struct iovec iov = { .iov_base = (void *)text, .iov_len = len };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

		if (pass_fd >= 0) {
			mh.msg_control = control.space;
			mh.msg_controllen = sizeof(control.space);
			struct cmsghdr *cmsg = CMSG_FIRSTHDR(&mh);
			cmsg->cmsg_level = SOL_SOCKET;
			cmsg->cmsg_type = SCM_RIGHTS;
			cmsg->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(cmsg), &pass_fd, sizeof(int));
		}
		ssize_t n = sendmsg(qmp->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			pass_fd = -1;
			text += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR) {
			return fail(qmp, errno == ECONNRESET ? -EPIPE : -errno, "%s", strerror(errno));
		}
		struct pollfd pfd = { .fd = qmp->fd, .events = POLLOUT };
		int64_t left = deadline - now_ms();
		if (left <= 0 || poll(&pfd, 1, (int)left) == 0) {
			return fail(qmp, -ETIMEDOUT, "QEMU does not read its monitor");
		}
	}
	return 0;
}

void qmp_command(struct qmp *qmp, struct qmp_out *out, const char *name)
{
	qmp_out_begin(out, name, qmp->next_id++);
}

/* Waits for the reply to command `id`. */
static int session_reply(struct qmp *qmp, int64_t id, int64_t deadline, struct qmp_msg *reply)
{
	for (;;) {
		struct qmp_msg msg;
		int rc = session_next(qmp, deadline, &msg);

		if (rc < 0) {
			return rc;
		}
		/* An error without id answers a line that QEMU could not parse: ours. */
		bool ours = (msg.kind == QMP_RETURN && msg.has_id && msg.id == id) ||
			    (msg.kind == QMP_ERROR && (!msg.has_id || msg.id == id));
		if (ours && msg.kind == QMP_ERROR) {
			fail(qmp, 0, "%s: %s", msg.name, msg.text);
			qmp_msg_free(&msg);
			return -EREMOTEIO;
		}
		if (ours && reply != NULL) {
			*reply = msg;
			return 0;
		}
		deliver_event(qmp, &msg);
		qmp_msg_free(&msg);
		if (ours) {
			return 0;
		}
	}
}

int qmp_call(struct qmp *qmp, struct qmp_out *out, int pass_fd, int timeout_ms,
	     struct qmp_msg *reply)
{
	int64_t id = qmp->next_id - 1;
	int64_t deadline = now_ms() + timeout_ms;
	const char *text;
	size_t len;
	int rc = qmp_out_end(out, &text, &len);

	if (rc < 0) {
		fail(qmp, rc, "the command cannot be expressed in JSON");
	} else if (qmp->fd < 0) {
		rc = fail(qmp, -EPIPE, "the connection is closed");
	} else {
		rc = session_send(qmp, text, len, pass_fd, deadline);
	}
	qmp_out_free(out);
	return rc < 0 ? rc : session_reply(qmp, id, deadline, reply);
}

/* "major.minor.micro" out of the greeting, for messages only. */
static void note_version(struct qmp *qmp, yajl_val greeting)
{
	yajl_val v = qmp_get(qmp_get(greeting, "version"), "qemu");
	int64_t major = 0, minor = 0, micro = 0;

	qmp_get_int(v, "major", &major);
	qmp_get_int(v, "minor", &minor);
	qmp_get_int(v, "micro", &micro);
	snprintf(qmp->version, sizeof(qmp->version), "%d.%d.%d", (int)major, (int)minor, (int)micro);
}

int qmp_handshake(struct qmp *qmp, int timeout_ms)
{
	int64_t deadline = now_ms() + timeout_ms;
	struct qmp_msg msg;
	int rc = session_next(qmp, deadline, &msg);

	if (rc < 0) {
		return rc;
	}
	if (msg.kind != QMP_GREETING) {
		qmp_msg_free(&msg);
		return fail(qmp, -EPROTO, "no greeting");
	}
	note_version(qmp, msg.value);
	qmp_msg_free(&msg);
	struct qmp_out out;
	qmp_command(qmp, &out, "qmp_capabilities");
	int64_t left = deadline - now_ms();
	return qmp_call(qmp, &out, -1, left > 0 ? (int)left : 0, NULL);
}

int qmp_pump(struct qmp *qmp)
{
	for (;;) {
		struct qmp_msg msg;
		int rc = session_next(qmp, 0, &msg);

		if (rc < 0) {
			return rc == -EAGAIN ? 0 : rc;
		}
		/* A reply here is one whose caller gave up waiting. */
		deliver_event(qmp, &msg);
		qmp_msg_free(&msg);
	}
}
