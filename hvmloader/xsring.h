/*
 * The byte rings of the xenstore page, guest's end, and the wire format. Pure.
 */
#ifndef HVMLOADER_XSRING_H
#define HVMLOADER_XSRING_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

/* Bytes that could be put or taken now; -1 when the other end's indices make no sense. */
int xsring_put(struct xenstore_domain_interface *ring, const void *data, uint32_t n);
int xsring_get(struct xenstore_domain_interface *ring, void *data, uint32_t n);

/*
 * A request with one string argument. Returns the length of the message in out, 0 when the path is
 * too long for room.
 */
uint32_t xsring_request(uint8_t *out, uint32_t room, uint32_t type, uint32_t id, const char *path);

#endif
