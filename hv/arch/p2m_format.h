/*
 * How one nested-page-table entry is written and read: NPT, EPT, or a fake for tests. Pure.
 *
 * A table is 512 entries of 64 bits in one frame; level 1 maps 4 KiB, 2 maps 2 MiB, 3 maps 1 GiB.
 */
#ifndef ARCH_P2M_FORMAT_H
#define ARCH_P2M_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/addr.h"

enum p2m_access { P2M_ACC_NONE = 0, P2M_ACC_R = 1, P2M_ACC_W = 2, P2M_ACC_X = 4, P2M_ACC_RX = 5,
		  P2M_ACC_RW = 3, P2M_ACC_RWX = 7 };

/* DEVICE: what the machine's own rules (MTRRs) say of device memory, refined by the guest's PAT. */
enum p2m_cache { P2M_CACHE_WB, P2M_CACHE_UC, P2M_CACHE_WC, P2M_CACHE_DEVICE };

struct p2m_format {
	unsigned int levels;            /* 4 */
	bool has_1g;
	/* A leaf; `type` (4 bits) is kept in bits that the processor ignores. */
	uint64_t (*leaf)(mfn_t mfn, unsigned int level, enum p2m_access acc, enum p2m_cache cache,
			 unsigned int type);
	/* An entry that is not present but remembers its type. */
	uint64_t (*absent)(unsigned int type);
	uint64_t (*table)(mfn_t table);
	/* Reading an entry is on every path, so it is data: any of these bits means present; this bit says leaf at
	 * level 2 and 3; the type's four bits begin here. The frame is bits 51:12 in both vendors' formats. */
	uint64_t present_mask, leaf_bit;
	unsigned int type_shift;
	enum p2m_access (*access)(uint64_t e);
};

static inline bool p2m_fmt_present(const struct p2m_format *f, uint64_t e)
{
	return (e & f->present_mask) != 0;
}

static inline bool p2m_fmt_is_leaf(const struct p2m_format *f, uint64_t e, unsigned int level)
{
	return level == 1 || (e & f->leaf_bit) != 0;
}

static inline unsigned int p2m_fmt_type(const struct p2m_format *f, uint64_t e)
{
	return e >> f->type_shift & 15;
}

static inline mfn_t p2m_fmt_mfn(uint64_t e)
{
	return MFN((e & 0x000ffffffffff000ull) >> PAGE_SHIFT);
}

#endif
