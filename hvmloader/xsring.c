/*
 * The byte rings of the xenstore page, and the wire format.
 *
 * Owns: req_prod and rsp_cons, which only we write. The other end's indices are read once per call
 * and checked before use. Pure. Locking: one user.
 */
#include "hvmloader/xsring.h"

#include "hvmloader/mem.h"

int xsring_put(struct xenstore_domain_interface *ring, const void *data, uint32_t n)
{
	uint32_t cons = __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE);
	uint32_t prod = ring->req_prod;
	const char *bytes = data;
	uint32_t room;

	if (prod - cons > XENSTORE_RING_SIZE) {
		return -1;
	}
	room = XENSTORE_RING_SIZE - (prod - cons);
	if (n > room) {
		n = room;
	}
	for (uint32_t i = 0; i < n; i++) {
		ring->req[MASK_XENSTORE_IDX(prod + i)] = bytes[i];
	}
	__atomic_store_n(&ring->req_prod, prod + n, __ATOMIC_RELEASE);
	return (int)n;
}

int xsring_get(struct xenstore_domain_interface *ring, void *data, uint32_t n)
{
	uint32_t prod = __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE);
	uint32_t cons = ring->rsp_cons;
	char *bytes = data;

	if (prod - cons > XENSTORE_RING_SIZE) {
		return -1;
	}
	if (n > prod - cons) {
		n = prod - cons;
	}
	for (uint32_t i = 0; i < n; i++) {
		bytes[i] = ring->rsp[MASK_XENSTORE_IDX(cons + i)];
	}
	__atomic_store_n(&ring->rsp_cons, cons + n, __ATOMIC_RELEASE);
	return (int)n;
}

uint32_t xsring_request(uint8_t *out, uint32_t room, uint32_t type, uint32_t id, const char *path)
{
	struct xsd_sockmsg m = { .type = type, .req_id = id, .len = (uint32_t)strlen(path) + 1 };

	if (m.len > XENSTORE_REL_PATH_MAX || room < sizeof(m) + m.len) {
		return 0;
	}
	memcpy(out, &m, sizeof(m));
	memcpy(out + sizeof(m), path, m.len);
	return (uint32_t)(sizeof(m) + m.len);
}
