/*
 * The buffered ring, both ends. Contract: bufring.h.
 *
 * The indices run freely and are reduced modulo 511 at each use. 2^32 is no multiple of 511, so
 * they must never wrap: the producer moves both back by whole turns, in one 64-bit
 * compare-and-swap, whenever the read index has left the first turn. A consumer in the old
 * (non-atomic) mode would be confused by that; there the ring simply reports "full" before it wraps.
 */
#include "ioreq/bufring.h"
#include "lib/atomic.h"
#include "lib/err.h"

#define BUFRING_WORDS IOREQ_BUFFER_SLOT_NUM
/* Tries to move the indices back before the next put gets its turn; the consumer may interfere. */
#define BUFRING_TRIES 4

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bufring_page.both");

static uint32_t both_read(uint64_t both)
{
	return (uint32_t)both;
}

static uint32_t both_write(uint64_t both)
{
	return (uint32_t)(both >> 32);
}

void bufring_init(struct bufring *ring, struct bufring_page *page, bool atomic)
{
	*ring = (struct bufring){ .page = page, .atomic = atomic };
	store_release(&page->both, 0);
}

/* log2 of a size that the ring can carry, else -1. */
static int bufring_size_log2(uint32_t size)
{
	switch (size) {
	case 1:
		return 0;
	case 2:
		return 1;
	case 4:
		return 2;
	case 8:
		return 3;
	default:
		return -1;
	}
}

bool bufring_takes(const struct ioreq *req)
{
	return req->dir == IOREQ_WRITE && !req->data_is_ptr && req->count == 1 &&
	       req->addr < BUFRING_ADDR_LIMIT && bufring_size_log2(req->size) >= 0;
}

/* One word of req carrying that half of the data. */
static uint64_t bufring_word(const struct ioreq *req, uint32_t data)
{
	return (uint64_t)req->type << BUFRING_WORD_TYPE_SHIFT |
	       (uint64_t)req->dir << BUFRING_WORD_DIR_SHIFT |
	       (uint64_t)bufring_size_log2(req->size) << BUFRING_WORD_SIZE_SHIFT |
	       req->addr << BUFRING_WORD_ADDR_SHIFT | (uint64_t)data << BUFRING_WORD_DATA_SHIFT;
}

/* Could the indices in the page be the work of an honest consumer? They never wrap, so read <= write. */
static bool bufring_sane(const struct bufring *ring, uint64_t both)
{
	return both_write(both) == ring->write && both_read(both) <= ring->write &&
	       ring->write - both_read(both) <= BUFRING_WORDS;
}

/* Moves both indices back by whole turns. 0 or -EPROTO; losing every race is no error. */
static int bufring_rewind(struct bufring *ring)
{
	for (unsigned int i = 0; i < BUFRING_TRIES; i++) {
		uint64_t old = load_acquire(&ring->page->both);
		uint32_t back = both_read(old) / BUFRING_WORDS * BUFRING_WORDS;

		if (back == 0) {
			return 0;
		}
		if (!bufring_sane(ring, old)) {
			return -EPROTO;
		}
		uint64_t new = (uint64_t)(ring->write - back) << 32 | (both_read(old) - back);
		if (atomic_cas(&ring->page->both, &old, new)) {
			ring->write -= back;
			return 0;
		}
	}
	return 0;
}

int bufring_put(struct bufring *ring, const struct ioreq *req)
{
	if (!bufring_takes(req)) {
		return -EOPNOTSUPP;
	}
	uint32_t words = req->size == 8 ? 2 : 1;
	uint64_t both = load_acquire(&ring->page->both);

	if (!bufring_sane(ring, both)) {
		return -EPROTO;
	}
	if (ring->write - both_read(both) > BUFRING_WORDS - words || ring->write > UINT32_MAX - words) {
		return -ENOSPC;
	}
	WRITE_ONCE(ring->page->word[ring->write % BUFRING_WORDS],
		   bufring_word(req, (uint32_t)req->data));
	if (words == 2) {
		WRITE_ONCE(ring->page->word[(ring->write + 1) % BUFRING_WORDS],
			   bufring_word(req, (uint32_t)(req->data >> 32)));
	}
	ring->write += words;
	store_release(&ring->page->write, ring->write);
	return ring->atomic ? bufring_rewind(ring) : 0;
}

int bufring_get(struct bufring_page *page, struct ioreq *req)
{
	/* Both indices in one load: between two loads they may be moved back. */
	uint64_t both = load_acquire(&page->both);
	uint32_t at = both_read(both);
	uint32_t filled = both_write(both) - at;

	if (filled == 0) {
		return -EAGAIN;
	}
	uint64_t word = READ_ONCE(page->word[at % BUFRING_WORDS]);
	*req = (struct ioreq){
		.addr = word >> BUFRING_WORD_ADDR_SHIFT & (BUFRING_ADDR_LIMIT - 1),
		.data = word >> BUFRING_WORD_DATA_SHIFT,
		.count = 1,
		.size = 1u << (word >> BUFRING_WORD_SIZE_SHIFT & 3),
		.state = STATE_IOREQ_READY,
		.dir = word >> BUFRING_WORD_DIR_SHIFT & 1,
		.type = (uint8_t)(word >> BUFRING_WORD_TYPE_SHIFT),
	};
	if (req->size == 8) {
		if (filled < 2) {
			return -EPROTO;
		}
		word = READ_ONCE(page->word[(at + 1) % BUFRING_WORDS]);
		req->data |= word >> BUFRING_WORD_DATA_SHIFT << 32;
	}
	/* An addition, not a store: the producer may have moved the index back meanwhile. */
	atomic_add(&page->read, req->size == 8 ? 2 : 1);
	return 0;
}
