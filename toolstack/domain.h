/*
 * Existing domains: find one by id, name or UUID, and take one down completely.
 * Locking: none. Results: 0 or -errno; -ESRCH when there is no such domain.
 */
#ifndef TOOLSTACK_DOMAIN_H
#define TOOLSTACK_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/hvcall.h"
#include "toolstack/lib/hvdom.h"
#include "toolstack/lib/store.h"

/*
 * Name from xenstore; malloc'd. "Domain-0" for 0, "(null)"-like names never: "domain-<id>" when
 * unknown.
 */
char *domain_name(struct store *st, uint32_t domid);

/* `who`: a number, a UUID, or a name. Dying domains are found by number only. */
int domain_find(struct hvcall *hv, struct store *st, const char *who, struct hvdom_info *info);

enum domain_destroy_flags {
	DOMAIN_KEEP_DM = 1,  /* the caller is the supervisor: do not kill it */
	DOMAIN_KEEP_XML = 2, /* a restart will read the saved document */
};

/*
 * Pause, end the device model, leave xenstored, destroy, remove nodes and files. Goes on after a
 * failing step; returns the first error. Blocks until the domain is destroyed.
 */
int domain_destroy(struct hvcall *hv, struct store *st, uint32_t domid, unsigned int flags);

/* End the supervisor (and with it QEMU) of a domain, if it has one. 0 when it is gone. */
int domain_stop_dm(struct store *st, uint32_t domid);

#endif
