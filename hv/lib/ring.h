/*
 * Byte ring with one producer and one consumer, which may be different CPUs. No lock. Pure.
 */
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/atomic.h"

struct ring {
	uint8_t *bytes;
	uint32_t size;                  /* const: power of two */
	uint32_t head;                  /* [producer] running count */
	uint32_t tail;                  /* [consumer] running count */
};

#define RING_INIT(b, s) { .bytes = (b), .size = (s) }

/* False: full, the byte is dropped. */
static inline bool ring_put(struct ring *r, uint8_t byte)
{
	if (r->head - load_acquire(&r->tail) == r->size) {
		return false;
	}
	r->bytes[r->head % r->size] = byte;
	store_release(&r->head, r->head + 1);
	return true;
}

/* False: empty. */
static inline bool ring_get(struct ring *r, uint8_t *byte)
{
	if (load_acquire(&r->head) == r->tail) {
		return false;
	}
	*byte = r->bytes[r->tail % r->size];
	store_release(&r->tail, r->tail + 1);
	return true;
}

#endif
