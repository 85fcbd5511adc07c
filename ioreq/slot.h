/*
 * One synchronous I/O request slot: the state machine NONE -> READY -> INPROCESS -> RESP_READY ->
 * NONE, both ends.
 *
 * Owns: the accesses to one struct ioreq_slot. Does not own: the page, the event channels, the
 * waiting. Locking: none; each edge belongs to one side, and on each side to one thread (the
 * vCPU's own loop; the device model's loop).
 *
 * The hypervisor's end believes nothing that is in the page except the state nibble, read once per
 * poll, and `data` of a completed read. Everything else it keeps in the caller's own struct ioreq.
 */
#ifndef IOREQ_SLOT_H
#define IOREQ_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include "ioreq/ioreq_abi.h"
#include "lib/util.h"

/*
 * Hypervisor end: empties the slot and writes the event-channel port that the device model will
 * bind. When the server is enabled, or a vCPU added to it.
 */
void ioreq_slot_init(struct ioreq_slot *slot, uint32_t eport);

/*
 * Hypervisor end, NONE -> READY. Writes the request into the slot, except vp_eport. *req becomes
 * the caller's private record of it: req->state is set to READY and is kept by ioreq_poll().
 * Returns 0; -EBUSY when the slot was not NONE (the device model wrote it, or a request is on its
 * way): nothing is written then.
 */
MUST_CHECK int ioreq_post(struct ioreq_slot *slot, struct ioreq *req);

/*
 * Hypervisor end, RESP_READY -> NONE. *req is the record that ioreq_post() filled.
 * Returns 0: done; req->data is the answer, cut to req->size bytes, if the request was a read
 * without data_is_ptr, else unchanged; req->state is NONE.
 * -EAGAIN: still READY or INPROCESS. -EPROTO: a state that the device model may not set, or one
 * that goes backwards; the caller ends the domain. The slot is left as it is.
 */
MUST_CHECK int ioreq_poll(struct ioreq_slot *slot, struct ioreq *req);

/* Hypervisor end: gives up a posted request (server disabled or destroyed). */
void ioreq_abandon(struct ioreq_slot *slot);

/* Hypervisor end: is a request under way? For a pause that must find no half-done I/O. */
bool ioreq_busy(const struct ioreq_slot *slot);

/*
 * Device-model end, READY -> INPROCESS. Copies the request out. Returns 0, or -EAGAIN when the
 * slot is not READY.
 */
MUST_CHECK int ioreq_accept(struct ioreq_slot *slot, struct ioreq *req);

/* Device-model end, INPROCESS -> RESP_READY. data matters for reads without data_is_ptr only. */
void ioreq_answer(struct ioreq_slot *slot, uint64_t data);

#endif
