/*
 * xenstore for the hosted programs: paths built with printf, one transaction at a time, waiting for
 * a node.
 *
 * Owns: the libxenstore handle. Locking: one thread at a time.
 * Result everywhere unless said: 0 or -errno.
 */
#ifndef TOOLSTACK_LIB_STORE_H
#define TOOLSTACK_LIB_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

struct store {
	struct xs_handle *xs;
	xs_transaction_t tx; /* XBT_NULL outside a transaction */
	int failed;	     /* first error inside the transaction, or 0 */
};

#define STORE_PATH_MAX 512

int store_open(struct store *st);
void store_close(struct store *st);

/* Between begin and end, a failing write is remembered and makes store_end() abort and say so. */
int store_begin(struct store *st);
/* Result: 0, -EAGAIN (somebody else changed the same nodes: do it all again), or -errno. */
int store_end(struct store *st, bool commit);

int store_write(struct store *st, const char *path, const char *value);
int store_writef(struct store *st, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A directory that domain `domid` may read (or read and write), owned by domain 0 or by it. */
int store_mkdir(struct store *st, const char *path, uint32_t domid, bool guest_writes);
/* NULL when absent or unreadable; the caller frees it. */
char *store_read(struct store *st, const char *path);
char *store_readf(struct store *st, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Remove a subtree; absent is fine. */
int store_remove(struct store *st, const char *path);

/* Tell xenstored about a guest's ring, or that it is gone. */
int store_introduce(struct store *st, uint32_t domid, uint64_t gfn, uint32_t port);
int store_release(struct store *st, uint32_t domid);

/*
 * Wait until the node exists and, if `value` is not NULL, holds it; at most `timeout_ms`.
 * Result: 0, -ETIMEDOUT or -errno.
 */
int store_wait(struct store *st, const char *path, const char *value, int timeout_ms);

#endif
