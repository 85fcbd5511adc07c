/*
 * The synchronous slot, both ends. Contract: slot.h.
 *
 * Ordering: the payload is written with plain single stores, then the state byte with release; the
 * other side reads the state byte with acquire before it reads the payload.
 */
#include "ioreq/slot.h"
#include "lib/atomic.h"
#include "lib/err.h"

/* The flags and the state of req as the one byte that both sides test. */
static uint8_t slot_bits(const struct ioreq *req, uint8_t state)
{
	return (uint8_t)(state | (req->data_is_ptr ? IOREQ_BITS_DATA_IS_PTR : 0) |
			 (req->dir ? IOREQ_BITS_DIR : 0) | (req->df ? IOREQ_BITS_DF : 0));
}

/* What of a 64-bit answer belongs to an access of that many bytes. */
static uint64_t slot_cut(uint64_t data, uint32_t size)
{
	return size >= sizeof(data) ? data : data & MASK(size * 8);
}

void ioreq_slot_init(struct ioreq_slot *slot, uint32_t eport)
{
	WRITE_ONCE(slot->addr, 0);
	WRITE_ONCE(slot->data, 0);
	WRITE_ONCE(slot->count, 0);
	WRITE_ONCE(slot->size, 0);
	WRITE_ONCE(slot->pad, 0);
	WRITE_ONCE(slot->type, 0);
	WRITE_ONCE(slot->vp_eport, eport);
	store_release(&slot->bits, STATE_IOREQ_NONE);
}

int ioreq_post(struct ioreq_slot *slot, struct ioreq *req)
{
	if ((load_acquire(&slot->bits) & IOREQ_BITS_STATE) != STATE_IOREQ_NONE) {
		return -EBUSY;
	}
	WRITE_ONCE(slot->addr, req->addr);
	WRITE_ONCE(slot->data, req->data);
	WRITE_ONCE(slot->count, req->count);
	WRITE_ONCE(slot->size, req->size);
	WRITE_ONCE(slot->type, req->type);
	req->state = STATE_IOREQ_READY;
	store_release(&slot->bits, slot_bits(req, STATE_IOREQ_READY));
	return 0;
}

int ioreq_poll(struct ioreq_slot *slot, struct ioreq *req)
{
	uint8_t state = load_acquire(&slot->bits) & IOREQ_BITS_STATE;

	switch (state) {
	case STATE_IOREQ_READY:
		/* Only the hypervisor writes READY: seeing it after INPROCESS is forged. */
		return req->state == STATE_IOREQ_READY ? -EAGAIN : -EPROTO;
	case STATE_IOREQ_INPROCESS:
		req->state = STATE_IOREQ_INPROCESS;
		return -EAGAIN;
	case STATE_IORESP_READY:
		break;
	default:
		return -EPROTO;
	}
	if (req->dir == IOREQ_READ && !req->data_is_ptr) {
		req->data = slot_cut(READ_ONCE(slot->data), req->size);
	}
	req->state = STATE_IOREQ_NONE;
	store_release(&slot->bits, STATE_IOREQ_NONE);
	return 0;
}

void ioreq_abandon(struct ioreq_slot *slot)
{
	store_release(&slot->bits, STATE_IOREQ_NONE);
}

bool ioreq_busy(const struct ioreq_slot *slot)
{
	return (load_acquire(&slot->bits) & IOREQ_BITS_STATE) != STATE_IOREQ_NONE;
}

int ioreq_accept(struct ioreq_slot *slot, struct ioreq *req)
{
	uint8_t bits = load_acquire(&slot->bits);

	if ((bits & IOREQ_BITS_STATE) != STATE_IOREQ_READY) {
		return -EAGAIN;
	}
	*req = (struct ioreq){
		.addr = READ_ONCE(slot->addr),
		.data = READ_ONCE(slot->data),
		.count = READ_ONCE(slot->count),
		.size = READ_ONCE(slot->size),
		.vp_eport = READ_ONCE(slot->vp_eport),
		.state = STATE_IOREQ_INPROCESS,
		.data_is_ptr = !!(bits & IOREQ_BITS_DATA_IS_PTR),
		.dir = !!(bits & IOREQ_BITS_DIR),
		.df = !!(bits & IOREQ_BITS_DF),
		.type = READ_ONCE(slot->type),
	};
	store_release(&slot->bits,
		      (uint8_t)((bits & ~IOREQ_BITS_STATE) | STATE_IOREQ_INPROCESS));
	return 0;
}

void ioreq_answer(struct ioreq_slot *slot, uint64_t data)
{
	uint8_t bits = READ_ONCE(slot->bits);

	WRITE_ONCE(slot->data, data);
	store_release(&slot->bits, (uint8_t)((bits & ~IOREQ_BITS_STATE) | STATE_IORESP_READY));
}
