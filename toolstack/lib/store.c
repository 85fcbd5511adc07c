/*
 * xenstore client helpers. See store.h.
 */
#include "toolstack/lib/store.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int store_errno(void)
{
	return errno != 0 ? -errno : -EIO;
}

int store_open(struct store *st)
{
	memset(st, 0, sizeof(*st));
	st->tx = XBT_NULL;
	errno = 0;
	st->xs = xs_open(0);
	return st->xs != NULL ? 0 : store_errno();
}

void store_close(struct store *st)
{
	if (st->xs != NULL) {
		xs_close(st->xs);
	}
	memset(st, 0, sizeof(*st));
}

int store_begin(struct store *st)
{
	errno = 0;
	st->failed = 0;
	st->tx = xs_transaction_start(st->xs);
	return st->tx != XBT_NULL ? 0 : store_errno();
}

int store_end(struct store *st, bool commit)
{
	xs_transaction_t tx = st->tx;
	int failed = st->failed;

	st->tx = XBT_NULL;
	st->failed = 0;
	errno = 0;
	if (!commit || failed != 0) {
		xs_transaction_end(st->xs, tx, true);
		return failed;
	}
	return xs_transaction_end(st->xs, tx, false) ? 0 : store_errno();
}

/* Remember the first failure inside a transaction, so that callers may check once, at its end. */
static int store_result(struct store *st, bool ok)
{
	int rc = ok ? 0 : store_errno();

	if (rc != 0 && st->tx != XBT_NULL && st->failed == 0) {
		st->failed = rc;
	}
	return rc;
}

int store_write(struct store *st, const char *path, const char *value)
{
	errno = 0;
	return store_result(st, xs_write(st->xs, st->tx, path, value, strlen(value)));
}

int store_writef(struct store *st, const char *path, const char *fmt, ...)
{
	char *value = NULL;
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = vasprintf(&value, fmt, args);
	va_end(args);
	if (rc < 0) {
		errno = ENOMEM;
		return store_result(st, false);
	}
	rc = store_write(st, path, value);
	free(value);
	return rc;
}

int store_mkdir(struct store *st, const char *path, uint32_t domid, bool guest_writes)
{
	/* The first entry names the owner and what everybody else may do. */
	struct xs_permissions perms[2] = {
		{.id = guest_writes ? domid : 0, .perms = XS_PERM_NONE},
		{.id = domid, .perms = XS_PERM_READ},
	};
	bool ok;

	errno = 0;
	ok = xs_mkdir(st->xs, st->tx, path);
	if (ok) {
		ok = xs_set_permissions(st->xs, st->tx, path, perms, guest_writes ? 1 : 2);
	}
	return store_result(st, ok);
}

char *store_read(struct store *st, const char *path)
{
	unsigned int len;

	return xs_read(st->xs, st->tx, path, &len);
}

char *store_readf(struct store *st, const char *fmt, ...)
{
	char path[STORE_PATH_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		return NULL;
	}
	return store_read(st, path);
}

int store_remove(struct store *st, const char *path)
{
	errno = 0;
	if (xs_rm(st->xs, st->tx, path) || errno == ENOENT) {
		return 0;
	}
	return store_result(st, false);
}

int store_introduce(struct store *st, uint32_t domid, uint64_t gfn, uint32_t port)
{
	errno = 0;
	return xs_introduce_domain(st->xs, domid, gfn, port) ? 0 : store_errno();
}

int store_release(struct store *st, uint32_t domid)
{
	errno = 0;
	if (xs_release_domain(st->xs, domid) || errno == ENOENT || errno == EINVAL) {
		return 0;
	}
	return store_errno();
}

static int64_t store_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Does the node hold what is waited for? */
static bool store_matches(struct store *st, const char *path, const char *value)
{
	char *now = store_read(st, path);
	bool hit = now != NULL && (value == NULL || strcmp(now, value) == 0);

	free(now);
	return hit;
}

int store_wait(struct store *st, const char *path, const char *value, int timeout_ms)
{
	const char *token = "store_wait";
	int64_t end = store_now_ms() + timeout_ms;
	int rc = -ETIMEDOUT;

	errno = 0;
	if (!xs_watch(st->xs, path, token)) {
		return store_errno();
	}
	for (;;) {
		struct pollfd pfd = {.fd = xs_fileno(st->xs), .events = POLLIN};
		int64_t left = end - store_now_ms();
		char **event;

		if (store_matches(st, path, value)) {
			rc = 0;
			break;
		}
		if (left <= 0) {
			break;
		}
		/* Wake now and then: a watch is a hint, the node is the truth. */
		if (poll(&pfd, 1, left < 1000 ? (int)left : 1000) < 0 && errno != EINTR) {
			rc = store_errno();
			break;
		}
		while ((event = xs_check_watch(st->xs)) != NULL) {
			free(event);
		}
	}
	xs_unwatch(st->xs, path, token);
	return rc;
}
