/* VNC clients. Contract: vnc.h. */
#include "dm-glue/vnc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

int vnc_init(struct vnc *vnc, const char *password, int (*attach)(void *ctx, int fd), void *ctx)
{
	*vnc = (struct vnc){ .password = password, .attach = attach, .ctx = ctx };
	if (password == NULL) {
		return 0;
	}
	vnc->clients = calloc(VNC_CLIENTS, sizeof(*vnc->clients));
	for (unsigned int i = 0; vnc->clients != NULL && i < VNC_CLIENTS; i++) {
		vnc->clients[i].fd = vnc->clients[i].qemu = -1;
	}
	return vnc->clients ? 0 : -ENOMEM;
}

static void client_drop(struct vnc_client *c)
{
	if (c->fd >= 0) {
		close(c->fd);
	}
	if (c->qemu >= 0) {
		close(c->qemu);
	}
	c->fd = c->qemu = -1;
}

static size_t pipe_room(const struct vnc_pipe *p)
{
	return sizeof(p->buf) - p->to;
}

/* Queue the few bytes of an opening. False: there is no room, which only a broken peer achieves. */
static bool pipe_put(struct vnc_pipe *p, const struct rfb_out *out)
{
	if (pipe_room(p) < out->len) {
		return false;
	}
	memcpy(p->buf + p->to, out->bytes, out->len);
	p->to += out->len;
	return true;
}

/* Send what is queued. False: the connection is broken. */
static bool pipe_flush(struct vnc_pipe *p, int fd)
{
	while (p->from < p->to) {
		ssize_t n = send(fd, p->buf + p->from, p->to - p->from, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			return errno == EAGAIN || errno == EINTR;
		}
		p->from += (size_t)n;
	}
	p->from = p->to = 0;
	return true;
}

int vnc_accept(struct vnc *vnc, int listen_fd)
{
	uint8_t challenge[RFB_CHALLENGE];
	struct rfb_out out = { .len = 0 };
	struct vnc_client *c = NULL;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	if (vnc->clients == NULL) {
		int rc = vnc->attach(vnc->ctx, fd);

		close(fd);
		return rc;
	}
	for (unsigned int i = 0; c == NULL && i < VNC_CLIENTS; i++) {
		c = vnc->clients[i].fd < 0 ? &vnc->clients[i] : NULL;
	}
	if (c == NULL || getrandom(challenge, sizeof(challenge), 0) != sizeof(challenge)) {
		close(fd);
		return c == NULL ? -EBUSY : -EIO;
	}
	c->fd = fd;
	c->qemu = -1;
	c->client_open = c->qemu_open = c->closing = false;
	c->up.from = c->up.to = c->down.from = c->down.to = 0;
	c->began = time(NULL);
	rfb_server_start(&c->server, vnc->password, challenge, &out);
	if (!pipe_put(&c->down, &out) || !pipe_flush(&c->down, c->fd)) {
		client_drop(c);
	}
	return 0;
}

/* The password was right: connect the client to QEMU. */
static bool client_attach(struct vnc *vnc, struct vnc_client *c)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return false;
	}
	int rc = vnc->attach(vnc->ctx, pair[1]);
	close(pair[1]);
	c->qemu = pair[0];
	rfb_client_start(&c->to_qemu);
	return rc == 0;
}

/* Reads as much as fits behind the queue. Returns bytes read, 0 none now, -1 the end. */
static ssize_t pipe_read(struct vnc_pipe *p, int fd)
{
	if (pipe_room(p) == 0) {
		return 0;
	}
	ssize_t n = recv(fd, p->buf + p->to, pipe_room(p), MSG_DONTWAIT);
	if (n == 0) {
		return -1;
	}
	if (n < 0) {
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	return n;
}

/*
 * Bytes from the client: first the opening, then the session's. Those that come after the opening but before
 * QEMU is ready stay queued. False: hang up.
 */
static bool client_readable(struct vnc *vnc, struct vnc_client *c)
{
	struct rfb_out out = { .len = 0 };
	size_t taken = 0;
	ssize_t n = pipe_read(&c->up, c->fd);

	if (n <= 0 || c->client_open) {
		c->up.to += n > 0 ? (size_t)n : 0;
		return n >= 0;
	}
	enum rfb_step step =
		rfb_server_feed(&c->server, c->up.buf + c->up.to, (size_t)n, &taken, &out);
	memmove(c->up.buf + c->up.to, c->up.buf + c->up.to + taken, (size_t)n - taken);
	c->up.to += (size_t)n - taken;
	if (!pipe_put(&c->down, &out)) {
		return false;
	}
	c->closing = step == RFB_FAIL;
	c->client_open = step == RFB_DONE;
	return step == RFB_DONE ? client_attach(vnc, c) : true;
}

/* Bytes from QEMU: its own opening, answered on the spot, then the session's. False: hang up. */
static bool qemu_readable(struct vnc_client *c)
{
	struct rfb_out out = { .len = 0 };
	size_t taken = 0;
	ssize_t n = pipe_read(&c->down, c->qemu);

	if (n <= 0 || c->qemu_open) {
		c->down.to += n > 0 ? (size_t)n : 0;
		return n >= 0;
	}
	enum rfb_step step =
		rfb_client_feed(&c->to_qemu, c->down.buf + c->down.to, (size_t)n, &taken, &out);
	memmove(c->down.buf + c->down.to, c->down.buf + c->down.to + taken, (size_t)n - taken);
	c->down.to += (size_t)n - taken;
	/* The client's first bytes wait in `up`; these few must go before them. */
	if (step == RFB_FAIL ||
	    (out.len > 0 && send(c->qemu, out.bytes, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) !=
				    (ssize_t)out.len)) {
		return false;
	}
	c->qemu_open = step == RFB_DONE;
	return true;
}

void vnc_poll_fill(const struct vnc *vnc, struct pollfd slot[VNC_SLOTS])
{
	for (unsigned int i = 0; i < VNC_SLOTS; i++) {
		slot[i] = (struct pollfd){ .fd = -1 };
	}
	for (unsigned int i = 0; vnc->clients != NULL && i < VNC_CLIENTS; i++) {
		const struct vnc_client *c = &vnc->clients[i];
		struct pollfd *client = &slot[2 * i], *qemu = &slot[2 * i + 1];

		client->fd = c->fd;
		qemu->fd = c->qemu;
		client->events = (short)((pipe_room(&c->up) && !c->closing ? POLLIN : 0) |
					 (c->down.to ? POLLOUT : 0));
		qemu->events = (short)((pipe_room(&c->down) ? POLLIN : 0) |
				       (c->up.to && c->qemu_open ? POLLOUT : 0));
	}
}

/* One connection after poll(). False: hang up. */
static bool client_poll(struct vnc *vnc, struct vnc_client *c, short client, short qemu)
{
	bool ok = true;

	if (c->qemu >= 0 && (qemu & (POLLIN | POLLHUP | POLLERR))) {
		ok = qemu_readable(c);
	}
	if (ok && !c->closing && (client & (POLLIN | POLLHUP | POLLERR))) {
		ok = client_readable(vnc, c);
	}
	/* What is queued still goes out, also when the other side has ended. */
	bool sent = pipe_flush(&c->down, c->fd);
	if (c->qemu >= 0 && c->qemu_open) {
		sent = pipe_flush(&c->up, c->qemu) && sent;
	}
	if (c->closing && c->down.to == 0) {
		return false;
	}
	if (!(c->client_open && c->qemu_open) && time(NULL) - c->began > VNC_OPENING_SECONDS) {
		return false;
	}
	return ok && sent;
}

void vnc_poll_done(struct vnc *vnc, const struct pollfd slot[VNC_SLOTS])
{
	for (unsigned int i = 0; vnc->clients != NULL && i < VNC_CLIENTS; i++) {
		struct vnc_client *c = &vnc->clients[i];

		/* An entry may have been taken since the slots were filled. */
		if (c->fd < 0 || slot[2 * i].fd != c->fd) {
			continue;
		}
		if (!client_poll(vnc, c, slot[2 * i].revents, slot[2 * i + 1].revents)) {
			client_drop(c);
		}
	}
}

void vnc_close(struct vnc *vnc)
{
	for (unsigned int i = 0; vnc->clients != NULL && i < VNC_CLIENTS; i++) {
		client_drop(&vnc->clients[i]);
	}
	free(vnc->clients);
	vnc->clients = NULL;
}
