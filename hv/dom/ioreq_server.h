/*
 * I/O request servers: the device models of a domain, what addresses each serves, and the pages shared with them.
 *
 * Owns: servers, their ranges, their two pages and their event-channel ports. Does not own: the slot protocol (ioreq/)
 * and the waiting (hvm/ioreq_client.c). Lock: LOCK_IOREQ per domain, inside. A server found with
 * ioreq_server_select() stays valid until ioreq_server_put(), even when it is destroyed meanwhile; then
 * ioreq_server_active() is false and whoever waits for an answer stops waiting and takes all-ones.
 */
#ifndef DOM_IOREQ_SERVER_H
#define DOM_IOREQ_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include "lib/util.h"

#define IOREQ_SERVERS_MAX 8
#define IOREQ_RANGES_MAX  256

struct domain;
struct vcpu;
struct page;
struct ioreq;
struct ioreq_server;
struct ioreq_slot;

enum ioreq_range { IOREQ_RANGE_PORT, IOREQ_RANGE_MEMORY, IOREQ_RANGE_PCI, IOREQ_RANGE_TYPES };

int ioreq_servers_init(struct domain *d) MUST_CHECK;
void ioreq_servers_release(struct domain *d);
void ioreq_servers_free(struct domain *d);

/* ---- for dm_op: `who` is the caller's domain id; a server of somebody else is -EPERM, none -ENOENT ---- */
/* bufmode: 0 no buffered ring, 1 or 2 (atomic). -ENOSPC: 8 already. */
int ioreq_server_create(struct domain *d, domid_t who, uint8_t bufmode, uint16_t *id) MUST_CHECK;
int ioreq_server_destroy(struct domain *d, domid_t who, uint16_t id) MUST_CHECK;
int ioreq_server_set_state(struct domain *d, domid_t who, uint16_t id, bool enabled) MUST_CHECK;
/* Port of the buffered ring; 0 when it has none. */
int ioreq_server_info(struct domain *d, domid_t who, uint16_t id, evtchn_port_t *buf_port) MUST_CHECK;
/* -EEXIST: overlaps one of the same server. -ENOSPC: too many. -EINVAL: start > end or bad type. */
int ioreq_server_map_range(struct domain *d, domid_t who, uint16_t id, uint32_t type, uint64_t start,
			   uint64_t end) MUST_CHECK;
/* -ENOENT: not (wholly) mapped. */
int ioreq_server_unmap_range(struct domain *d, domid_t who, uint16_t id, uint32_t type, uint64_t start,
			     uint64_t end) MUST_CHECK;
/* acquire_resource: frame 0 is the buffered ring, 1 the slots; *page with a reference. -EINVAL: no such frame. */
int ioreq_server_get_frame(struct domain *d, domid_t who, uint16_t id, uint64_t frame, struct page **page) MUST_CHECK;

/* ---- for the I/O path ---- */
/* The newest enabled server one of whose ranges holds all of [addr, addr+size), with a reference; NULL: none. For PCI,
 * addr is segment<<16 | bus<<8 | device<<3 | function, and size 1. */
struct ioreq_server *ioreq_server_select(struct domain *d, enum ioreq_range type, uint64_t addr, unsigned int size);
/* The next enabled server with an id >= *id, with a reference; *id becomes its id + 1. NULL: no more. */
struct ioreq_server *ioreq_server_next(struct domain *d, unsigned int *id);
void ioreq_server_put(struct ioreq_server *s);
bool ioreq_server_active(const struct ioreq_server *s);
/* The vCPU's slot in the shared page. Only of an active server (it has pages then). */
struct ioreq_slot *ioreq_server_slot(struct ioreq_server *s, unsigned int vcpu);
evtchn_port_t ioreq_server_port(const struct ioreq_server *s, unsigned int vcpu);
/* Tell the device model to look at the vCPU's slot. */
void ioreq_server_notify(struct ioreq_server *s, unsigned int vcpu);
/* Put a write into the buffered ring and notify. -EOPNOTSUPP: no ring, or not such a request; -ENOSPC: full; -EPROTO:
 * the device model broke the ring. */
int ioreq_server_buffer(struct ioreq_server *s, const struct ioreq *req) MUST_CHECK;

#endif
