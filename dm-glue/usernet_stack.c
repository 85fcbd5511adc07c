/* User-mode networking. Contract: usernet_stack.h. Reference: libslirp's libslirp.h. */
#include "dm-glue/usernet_stack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libslirp.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LENGTH_BYTES 4
#define POLL_MAX     1024 /* as many as the process may have descriptors */
#define NS_PER_MS    1000000

struct stack {
	Slirp *slirp;
	int fd;
	struct pollfd polled[POLL_MAX]; /* [0] is fd */
	nfds_t nr_polled;
	uint8_t in[LENGTH_BYTES + USERNET_FRAME_MAX];
	size_t in_len;
	uint8_t out[LENGTH_BYTES + USERNET_FRAME_MAX]; /* the rest of a frame that went half */
	size_t out_len, out_at;
	int64_t ra_expires; /* ms, when the router advertisement is due; INT64_MAX: never */
	void *ra_opaque;
};

/* ---- towards the card ---- */

static bool flush(struct stack *st)
{
	while (st->out_at < st->out_len) {
		ssize_t n = send(st->fd, st->out + st->out_at, st->out_len - st->out_at, MSG_NOSIGNAL);

		if (n < 0) {
			return false;
		}
		st->out_at += (size_t)n;
	}
	st->out_at = st->out_len = 0;
	return true;
}

/* A frame that finds no room is lost, as on a wire; one that was begun is sent to its end first. */
static ssize_t cb_send_packet(const void *buf, size_t len, void *opaque)
{
	struct stack *st = opaque;

	if (len > USERNET_FRAME_MAX || !flush(st)) {
		return (ssize_t)len;
	}
	uint32_t length = htonl((uint32_t)len);
	memcpy(st->out, &length, LENGTH_BYTES);
	memcpy(st->out + LENGTH_BYTES, buf, len);
	st->out_len = LENGTH_BYTES + len;
	(void)flush(st);
	return (ssize_t)len;
}

/* ---- clock and timer ---- */

static int64_t cb_clock_get_ns(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static int64_t now_ms(void)
{
	return cb_clock_get_ns(NULL) / NS_PER_MS;
}

/* There is one kind of timer: the router advertisement. */
static void *cb_timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
	struct stack *st = opaque;

	if (id != SLIRP_TIMER_RA) {
		return NULL;
	}
	st->ra_expires = INT64_MAX;
	st->ra_opaque = cb_opaque;
	return &st->ra_expires;
}

static void cb_timer_free(void *timer, void *opaque)
{
	(void)opaque;
	if (timer != NULL) {
		*(int64_t *)timer = INT64_MAX;
	}
}

static void cb_timer_mod(void *timer, int64_t expires, void *opaque)
{
	(void)opaque;
	if (timer != NULL) {
		*(int64_t *)timer = expires;
	}
}

static void run_timer(struct stack *st)
{
	if (st->ra_expires <= now_ms()) {
		st->ra_expires = INT64_MAX;
		slirp_handle_timer(st->slirp, SLIRP_TIMER_RA, st->ra_opaque);
	}
}

/* ---- the rest of what libslirp asks for ---- */

static void cb_guest_error(const char *msg, void *opaque)
{
	(void)msg; /* the guest's own business, and it could fill the log */
	(void)opaque;
}

static void cb_poll_fd(int fd, void *opaque)
{
	(void)fd; /* the set is made anew every time */
	(void)opaque;
}

static void cb_notify(void *opaque)
{
	(void)opaque; /* one thread: nobody sleeps meanwhile */
}

static const SlirpCb callbacks = {
	.send_packet = cb_send_packet,
	.guest_error = cb_guest_error,
	.clock_get_ns = cb_clock_get_ns,
	.timer_new_opaque = cb_timer_new,
	.timer_free = cb_timer_free,
	.timer_mod = cb_timer_mod,
	.register_poll_fd = cb_poll_fd,
	.unregister_poll_fd = cb_poll_fd,
	.notify = cb_notify,
};

/* SLIRP_POLL_* and poll()'s bits, in one order. */
static const struct {
	int slirp;
	short poll;
} events[] = {
	{ SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

static int add_poll(int fd, int wanted, void *opaque)
{
	struct stack *st = opaque;

	if (st->nr_polled == POLL_MAX) {
		return -1;
	}
	struct pollfd *p = &st->polled[st->nr_polled];
	*p = (struct pollfd){ .fd = fd };
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		p->events |= wanted & events[i].slirp ? events[i].poll : 0;
	}
	return (int)st->nr_polled++;
}

static int get_revents(int idx, void *opaque)
{
	const struct stack *st = opaque;
	int got = 0;

	for (size_t i = 0; idx > 0 && i < sizeof(events) / sizeof(events[0]); i++) {
		got |= st->polled[idx].revents & events[i].poll ? events[i].slirp : 0;
	}
	return got;
}

/* ---- from the card ---- */

/* Hand on every whole frame. Result: 0, or -EPROTO. */
static int take_frames(struct stack *st)
{
	size_t at = 0;
	uint32_t length;

	while (st->in_len - at >= LENGTH_BYTES) {
		memcpy(&length, st->in + at, LENGTH_BYTES);
		length = ntohl(length);
		if (length > USERNET_FRAME_MAX) {
			return -EPROTO;
		}
		if (st->in_len - at - LENGTH_BYTES < length) {
			break;
		}
		slirp_input(st->slirp, st->in + at + LENGTH_BYTES, (int)length);
		at += LENGTH_BYTES + length;
	}
	memmove(st->in, st->in + at, st->in_len - at);
	st->in_len -= at;
	return 0;
}

/* Result: 1: go on, 0: the other end has closed, or -errno. */
static int read_card(struct stack *st)
{
	ssize_t n = recv(st->fd, st->in + st->in_len, sizeof(st->in) - st->in_len, 0);

	if (n < 0) {
		return errno == EAGAIN || errno == EINTR ? 1 : errno == ECONNRESET ? 0 : -errno;
	}
	if (n == 0) {
		return 0;
	}
	st->in_len += (size_t)n;
	int rc = take_frames(st);
	return rc < 0 ? rc : 1;
}

/* ---- the loop ---- */

static int poll_once(struct stack *st)
{
	uint32_t timeout = INT_MAX;

	st->polled[0] = (struct pollfd){ .fd = st->fd, .events = POLLIN };
	if (st->out_at < st->out_len) {
		st->polled[0].events |= POLLOUT;
	}
	st->nr_polled = 1;
	slirp_pollfds_fill(st->slirp, &timeout, add_poll, st);
	int64_t left = st->ra_expires - now_ms();
	if (st->ra_expires != INT64_MAX && left < timeout) {
		timeout = left > 0 ? (uint32_t)left : 0;
	}
	int rc = poll(st->polled, st->nr_polled, timeout < INT_MAX ? (int)timeout : -1);
	if (rc < 0 && errno != EINTR) {
		return -errno;
	}
	slirp_pollfds_poll(st->slirp, rc < 0, get_revents, st);
	run_timer(st);
	(void)flush(st);
	return rc > 0 && st->polled[0].revents & (POLLIN | POLLHUP | POLLERR) ? read_card(st) : 1;
}

static Slirp *make_slirp(struct stack *st)
{
	SlirpConfig cfg = {
		.version = 4,
		.in_enabled = true,
		.in6_enabled = true,
		.vprefix_len = 64,
		.vhostname = "ostler",
		.disable_host_loopback = true,
	};

	inet_pton(AF_INET, "10.0.2.0", &cfg.vnetwork);
	inet_pton(AF_INET, "255.255.255.0", &cfg.vnetmask);
	inet_pton(AF_INET, "10.0.2.2", &cfg.vhost);
	inet_pton(AF_INET, "10.0.2.15", &cfg.vdhcp_start);
	inet_pton(AF_INET, "10.0.2.3", &cfg.vnameserver);
	inet_pton(AF_INET6, "fec0::", &cfg.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &cfg.vhost6);
	inet_pton(AF_INET6, "fec0::3", &cfg.vnameserver6);
	return slirp_new(&cfg, &callbacks, st);
}

int usernet_stack_run(int fd)
{
	struct stack *st = calloc(1, sizeof(*st));
	int rc = 1;

	if (st == NULL) {
		return -ENOMEM;
	}
	st->fd = fd;
	st->ra_expires = INT64_MAX;
	st->slirp = fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? NULL : make_slirp(st);
	if (st->slirp == NULL) {
		free(st);
		return -EINVAL;
	}
	while (rc > 0) {
		rc = poll_once(st);
	}
	slirp_cleanup(st->slirp);
	free(st);
	return rc;
}
