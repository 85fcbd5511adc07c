/*
 * Nested page table entries of AMD (AMD APM volume 2, "Nested Paging"): the long-mode format, walked as user
 * accesses. Pure. The entry's type is kept in bits 55:52, which the processor ignores.
 */
#include "arch/p2m_format.h"
#include "arch/svm/svm.h"

#define NPT_P   (1ull << 0)
#define NPT_W   (1ull << 1)
#define NPT_U   (1ull << 2)
#define NPT_PWT (1ull << 3)
#define NPT_PCD (1ull << 4)
#define NPT_A   (1ull << 5)
#define NPT_D   (1ull << 6)
#define NPT_PS  (1ull << 7)
#define NPT_NX  (1ull << 63)
#define NPT_TYPE_SHIFT 52

static uint64_t npt_absent(unsigned int type)
{
	return (uint64_t)type << NPT_TYPE_SHIFT;
}

static uint64_t npt_leaf(mfn_t mfn, unsigned int level, enum p2m_access acc, enum p2m_cache cache,
			 unsigned int type)
{
	uint64_t e = npt_absent(type);
	if (acc == P2M_ACC_NONE) {
		return e;
	}
	e |= mfn.v << PAGE_SHIFT | NPT_P | NPT_U | NPT_A | NPT_D;
	e |= level > 1 ? NPT_PS : 0;
	e |= acc & P2M_ACC_W ? NPT_W : 0;
	e |= acc & P2M_ACC_X ? 0 : NPT_NX;
	return e | (cache == P2M_CACHE_UC ? NPT_PCD | NPT_PWT : cache == P2M_CACHE_WC ? NPT_PCD : 0);
}

static uint64_t npt_table(mfn_t table)
{
	return table.v << PAGE_SHIFT | NPT_P | NPT_W | NPT_U | NPT_A;
}

static enum p2m_access npt_access(uint64_t e)
{
	if (!(e & NPT_P)) {
		return P2M_ACC_NONE;
	}
	return P2M_ACC_R | (e & NPT_W ? P2M_ACC_W : 0) | (e & NPT_NX ? 0 : P2M_ACC_X);
}

const struct p2m_format svm_npt_format = {
	.levels = 4,
	.has_1g = true,
	.leaf = npt_leaf,
	.absent = npt_absent,
	.table = npt_table,
	.present_mask = NPT_P,
	.leaf_bit = NPT_PS,
	.type_shift = NPT_TYPE_SHIFT,
	.access = npt_access,
};
