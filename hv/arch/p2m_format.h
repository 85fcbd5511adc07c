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

enum p2m_cache { P2M_CACHE_WB, P2M_CACHE_UC, P2M_CACHE_WC };

struct p2m_format {
	unsigned int levels;            /* 4 */
	bool has_1g;
	/* A leaf; `type` (4 bits) is kept in bits that the processor ignores. */
	uint64_t (*leaf)(mfn_t mfn, unsigned int level, enum p2m_access acc, enum p2m_cache cache,
			 unsigned int type);
	/* An entry that is not present but remembers its type. */
	uint64_t (*absent)(unsigned int type);
	uint64_t (*table)(mfn_t table);
	bool (*present)(uint64_t e);
	bool (*is_leaf)(uint64_t e, unsigned int level);
	mfn_t (*mfn)(uint64_t e);
	unsigned int (*type)(uint64_t e);
	enum p2m_access (*access)(uint64_t e);
};

#endif
