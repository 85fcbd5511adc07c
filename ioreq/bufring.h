/*
 * The ring of buffered I/O writes: requests that need no answer, so the vCPU does not wait.
 *
 * Owns: the accesses to one struct bufring_page. Does not own: the page, the event channel.
 * Locking: the producer (hypervisor) serialises its vCPUs with the server's lock; the consumer is
 * one thread. The producer keeps its own write index: what the device model does to the one in the
 * page is noticed, never used.
 */
#ifndef IOREQ_BUFRING_H
#define IOREQ_BUFRING_H

#include <stdbool.h>
#include <stdint.h>
#include "ioreq/ioreq_abi.h"
#include "lib/util.h"

/* The producer's private half of a ring. */
struct bufring {
	struct bufring_page *page;
	uint32_t write; /* our index; equals page->write unless the device model scribbled */
	bool atomic;    /* the consumer copes with both indices being moved back together */
};

/* Producer: takes an empty page into use. atomic: the server was created in the ATOMIC mode. */
void bufring_init(struct bufring *ring, struct bufring_page *page, bool atomic);

/* Can this request go through a ring at all (write, no pointer, count 1, below 1 MiB, size 2^n)? */
bool bufring_takes(const struct ioreq *req);

/*
 * Producer: appends one request; 8-byte data takes two words, published together.
 * Returns 0; -ENOSPC when the ring is full (use the synchronous slot); -EOPNOTSUPP when
 * bufring_takes() says no; -EPROTO when the indices in the page are impossible (the caller ends
 * the domain).
 */
MUST_CHECK int bufring_put(struct bufring *ring, const struct ioreq *req);

/*
 * Consumer: takes the oldest request. Returns 0; -EAGAIN when the ring is empty; -EPROTO when the
 * second word of an 8-byte request is missing.
 */
MUST_CHECK int bufring_get(struct bufring_page *page, struct ioreq *req);

#endif
