/*
 * A minimal xenstore client.
 *
 * Owns: the conversation over the ring: one request at a time, waiting for its answer with a
 * deadline, because a guest must boot without a xenstore daemon too. The ring itself is xsring.c.
 */
#include "hvmloader/xenstore.h"

#include <xen/hvm/params.h>

#include "hvmloader/hypercall.h"
#include "hvmloader/layout.h"
#include "hvmloader/shared.h"
#include "hvmloader/util.h"
#include "hvmloader/xsring.h"

#define TIMEOUT_NS     60000000000ull
#define MAX_PATH       256

static struct xenstore_domain_interface *ring; /* NULL: no xenstore */
static uint32_t port, next_id;

void xenstore_init(void)
{
	uint64_t gfn = hypercall_get_param(HVM_PARAM_STORE_PFN);

	port = (uint32_t)hypercall_get_param(HVM_PARAM_STORE_EVTCHN);
	if (gfn == 0 || gfn >= GIB4 >> PAGE_SHIFT || port == 0) {
		print("no xenstore: using defaults\n");
		return;
	}
	ring = at_phys((uint32_t)gfn << PAGE_SHIFT);
	print("xenstore ring at %08x, event channel %u\n", (uint32_t)ring, port);
}

static void give_up(const char *why)
{
	print("xenstore: %s; using defaults from here on\n", why);
	ring = NULL;
}

/* Wait for the other end to have done something; false when it takes too long. */
static bool wait_event(uint64_t deadline)
{
	while (!shared_take_event(port)) {
		if (shared_now() >= deadline) {
			return false;
		}
		hypercall_poll(port, deadline);
	}
	return true;
}

typedef int (*transfer_fn)(uint8_t *data, uint32_t n);

static int put_some(uint8_t *data, uint32_t n)
{
	int done = xsring_put(ring, data, n);

	if (done > 0) {
		hypercall_notify(port);
	}
	return done;
}

/* The daemon needs to hear of it only when it could be waiting for room. */
static int get_some(uint8_t *data, uint32_t n)
{
	bool full = ring->rsp_prod - ring->rsp_cons == XENSTORE_RING_SIZE;
	int done = xsring_get(ring, data, n);

	if (done > 0 && full) {
		hypercall_notify(port);
	}
	return done;
}

/* All n bytes, or the end of the conversation. */
static bool transfer(transfer_fn some, uint8_t *data, uint32_t n)
{
	uint64_t deadline = shared_now() + TIMEOUT_NS;

	while (n > 0) {
		int done = some(data, n);

		if (done < 0) {
			give_up("ring indices are damaged");
			return false;
		}
		if (done == 0 && !wait_event(deadline)) {
			give_up("no answer");
			return false;
		}
		data += done;
		n -= (uint32_t)done;
	}
	return true;
}

/* What does not fit into the buffer is read and dropped. */
static bool read_payload(uint32_t len, char *buffer, uint32_t size)
{
	uint32_t keep = len < size - 1 ? len : size - 1;
	uint8_t dropped;

	if (!transfer(get_some, (uint8_t *)buffer, keep)) {
		return false;
	}
	buffer[keep] = '\0';
	for (uint32_t i = keep; i < len; i++) {
		if (!transfer(get_some, &dropped, 1)) {
			return false;
		}
	}
	return true;
}

static int request(uint32_t type, const char *path, char *buffer, uint32_t size)
{
	uint8_t message[sizeof(struct xsd_sockmsg) + MAX_PATH];
	struct xsd_sockmsg answer;
	uint32_t length;

	buffer[0] = '\0';
	if (ring == NULL) {
		return -1;
	}
	length = xsring_request(message, sizeof(message), type, ++next_id, path);
	if (length == 0 || !transfer(put_some, message, length)) {
		return -1;
	}
	do {
		if (!transfer(get_some, (uint8_t *)&answer, sizeof(answer))) {
			return -1;
		}
		if (answer.len > XENSTORE_PAYLOAD_MAX) {
			give_up("an answer is too long");
			return -1;
		}
		if (!read_payload(answer.len, buffer, size)) {
			return -1;
		}
	} while (answer.req_id != next_id);
	if (answer.type != type) {
		buffer[0] = '\0';
		return -1;
	}
	return answer.len < size - 1 ? (int)answer.len : (int)size - 1;
}

int xenstore_read(const char *path, char *buffer, uint32_t size)
{
	return request(XS_READ, path, buffer, size);
}

int xenstore_list(const char *path, char *buffer, uint32_t size)
{
	return request(XS_DIRECTORY, path, buffer, size);
}

void xenstore_shutdown(void)
{
	uint64_t deadline = shared_now() + TIMEOUT_NS;

	if (ring == NULL) {
		return;
	}
	if (ring->server_features & XENSTORE_SERVER_FEATURE_RECONNECTION) {
		__atomic_store_n(&ring->connection, XENSTORE_RECONNECT, __ATOMIC_RELEASE);
		hypercall_notify(port);
		while (__atomic_load_n(&ring->connection, __ATOMIC_ACQUIRE) != XENSTORE_CONNECTED) {
			if (!wait_event(deadline)) {
				give_up("it does not reconnect");
				return;
			}
		}
	} else {
		memset(ring->req, 0xff, sizeof(ring->req));
		memset(ring->rsp, 0xff, sizeof(ring->rsp));
		ring->req_cons = ring->req_prod = 0;
		ring->rsp_cons = ring->rsp_prod = 0;
	}
	ring = NULL;
}
