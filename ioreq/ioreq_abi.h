/*
 * Layout of the pages that a hypervisor shares with a device model.
 *
 * The values (struct ioreq) and numbers come from the public ABI header; this file adds the view
 * of the same bytes that can be accessed one aligned word at a time, because every one of them may
 * change under the reader's hand. The asserts tie the two views together.
 */
#ifndef IOREQ_IOREQ_ABI_H
#define IOREQ_IOREQ_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <xen/hvm/ioreq.h>

/* struct ioreq_slot.bits: the state and the flags live in one byte and are written in one store. */
#define IOREQ_BITS_STATE       0x0f
#define IOREQ_BITS_DATA_IS_PTR 0x10
#define IOREQ_BITS_DIR         0x20 /* set: read */
#define IOREQ_BITS_DF          0x40

/* One vCPU's request as it lies in the shared page. Touch only through slot.h. */
struct ioreq_slot {
	uint64_t addr;
	uint64_t data;
	uint32_t count;
	uint32_t size;
	uint32_t vp_eport; /* written once per enabled server by the hypervisor, then kept */
	uint16_t pad;
	uint8_t bits;
	uint8_t type;
};

#define IOREQ_SLOTS_PER_PAGE 128

/* The synchronous page: one slot per vCPU, by vCPU number. */
struct ioreq_page {
	struct ioreq_slot slot[IOREQ_SLOTS_PER_PAGE];
};

/* The buffered page: two free-running indices, then 511 words of 8 bytes. Only through bufring.h. */
struct bufring_page {
	union {
		struct {
			uint32_t read;  /* the device model's */
			uint32_t write; /* the hypervisor's */
		};
		uint64_t both; /* x86: read is the low half */
	};
	uint64_t word[IOREQ_BUFFER_SLOT_NUM];
};

/* Fields of one buffered word. */
#define BUFRING_WORD_TYPE_SHIFT 0
#define BUFRING_WORD_DIR_SHIFT  9
#define BUFRING_WORD_SIZE_SHIFT 10 /* log2 of the size in bytes */
#define BUFRING_WORD_ADDR_SHIFT 12
#define BUFRING_WORD_DATA_SHIFT 32
#define BUFRING_ADDR_LIMIT      (1ul << 20)

#define IOREQ_SAME(field)                                                                        \
	_Static_assert(offsetof(struct ioreq_slot, field) == offsetof(struct ioreq, field),      \
		       "ioreq_slot differs from the ABI in " #field)
IOREQ_SAME(addr);
IOREQ_SAME(data);
IOREQ_SAME(count);
IOREQ_SAME(size);
IOREQ_SAME(vp_eport);
IOREQ_SAME(type);
#undef IOREQ_SAME
_Static_assert(offsetof(struct ioreq_slot, bits) == 0x1e, "state byte");
_Static_assert(sizeof(struct ioreq) == 32, "ioreq_t is 32 bytes");
_Static_assert(sizeof(struct ioreq_slot) == sizeof(struct ioreq), "a slot is one ioreq_t");
_Static_assert(sizeof(struct ioreq_page) == 4096, "the slots fill one page");
_Static_assert(sizeof(struct buf_ioreq) == sizeof(uint64_t), "a buffered request is one word");
_Static_assert(sizeof(struct bufring_page) == sizeof(struct buffered_iopage), "buffered page");
_Static_assert(offsetof(struct bufring_page, word) == offsetof(struct buffered_iopage, buf_ioreq),
	       "buffered words");
_Static_assert(sizeof(struct bufring_page) == 4096, "the ring fills one page");

#endif
