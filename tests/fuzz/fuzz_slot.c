/*
 * A device model that writes anything into its two pages at any time. Oracle: the hypervisor's end
 * touches only its own slot and page, its private record changes only in `data` and `state`, every
 * result is one of the documented ones, and a request ends in done, waiting or -EPROTO.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ioreq/bufring.h"
#include "ioreq/slot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c)                  \
	do {                     \
		if (!(c)) {      \
			abort(); \
		}                \
	} while (0)

/* The fuzzer's bytes, consumed front to back; zeroes after the end. */
struct input {
	const uint8_t *at;
	size_t left;
};

static void input_take(struct input *in, void *dst, size_t n)
{
	size_t have = MIN(n, in->left);

	memset(dst, 0, n);
	if (have) {
		memcpy(dst, in->at, have);
		in->at += have;
		in->left -= have;
	}
}

static uint8_t input_byte(struct input *in)
{
	uint8_t b;

	input_take(in, &b, 1);
	return b;
}

/* What is shared, between guards. */
struct arena {
	uint64_t before[4];
	struct ioreq_slot slot;
	uint64_t between[4];
	struct bufring_page page;
	uint64_t after[4];
};

static void arena_check(const struct arena *a)
{
	for (unsigned int i = 0; i < 4; i++) {
		MUST(a->before[i] == 0x5a5a5a5a5a5a5a5a);
		MUST(a->between[i] == 0x5a5a5a5a5a5a5a5a);
		MUST(a->after[i] == 0x5a5a5a5a5a5a5a5a);
	}
}

static void poll_checked(struct arena *a, struct ioreq *req, bool *posted)
{
	struct ioreq was = *req;
	int rc = ioreq_poll(&a->slot, req);

	MUST(rc == 0 || rc == -EAGAIN || rc == -EPROTO);
	MUST(req->addr == was.addr && req->count == was.count && req->size == was.size);
	MUST(req->type == was.type && req->dir == was.dir && req->df == was.df);
	MUST(req->data_is_ptr == was.data_is_ptr && req->vp_eport == was.vp_eport);
	if (rc != 0 || was.dir == IOREQ_WRITE || was.data_is_ptr) {
		MUST(req->data == was.data);
	}
	if (rc == 0) {
		MUST(!ioreq_busy(&a->slot));
		*posted = false;
	}
}

static void slot_step(struct arena *a, struct input *in, struct ioreq *req, bool *posted)
{
	if (*posted) {
		poll_checked(a, req, posted);
		return;
	}
	input_take(in, req, sizeof(*req));
	int rc = ioreq_post(&a->slot, req);
	MUST(rc == 0 || rc == -EBUSY);
	*posted = rc == 0;
}

static void ring_step(struct bufring *ring, struct input *in)
{
	struct ioreq req;

	input_take(in, &req, sizeof(req));
	if (input_byte(in) & 1) {
		/* Random bytes hardly ever fit: make one that the ring takes. */
		req.addr %= BUFRING_ADDR_LIMIT;
		req.count = 1;
		req.size = 1u << (req.size % 4);
		req.dir = IOREQ_WRITE;
		req.data_is_ptr = 0;
	}
	int rc = bufring_put(ring, &req);
	MUST(rc == 0 || rc == -ENOSPC || rc == -EOPNOTSUPP || rc == -EPROTO);
	MUST((rc == -EOPNOTSUPP) == !bufring_takes(&req));
	struct ioreq got;
	rc = bufring_get(ring->page, &got);
	MUST(rc == 0 || rc == -EAGAIN || rc == -EPROTO);
}

/* The device model overwrites a stretch of one of its pages. */
static void scribble(void *page, size_t room, struct input *in)
{
	uint16_t at;
	size_t n = input_byte(in) % 32;

	input_take(in, &at, sizeof(at));
	size_t from = at % room;
	input_take(in, (uint8_t *)page + from, MIN(n, room - from));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct arena a;
	struct bufring ring;
	struct ioreq req = { 0 };
	bool posted = false;

	memset(&a, 0x5a, sizeof(a));
	ioreq_slot_init(&a.slot, 1);
	bufring_init(&ring, &a.page, input_byte(&in) & 1);
	while (in.left) {
		uint8_t step = input_byte(&in) % 8;

		if (step < 3) {
			slot_step(&a, &in, &req, &posted);
		} else if (step < 5) {
			ring_step(&ring, &in);
		} else if (step == 5) {
			scribble(&a.slot, sizeof(a.slot), &in);
		} else if (step == 6) {
			a.slot.bits = input_byte(&in);
		} else {
			scribble(&a.page, sizeof(a.page), &in);
		}
		arena_check(&a);
	}
	return 0;
}
