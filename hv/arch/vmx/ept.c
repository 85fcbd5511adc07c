/*
 * Extended page table entries of Intel (Intel SDM volume 3, "The Extended Page Table Mechanism (EPT)"). Pure. The entry's
 * type is kept in bits 55:52, which the processor ignores.
 *
 * The memory type of a leaf stands where the machine's MTRRs would: the guest's PAT still has its say, so that Dom0's
 * driver can make a frame buffer write-combining.
 */
#include "arch/p2m_format.h"
#include "arch/vmx/vmx.h"

#define EPT_R       (1ull << 0)
#define EPT_W       (1ull << 1)
#define EPT_X       (1ull << 2)
#define EPT_RWX     7ull
#define EPT_MT_SHIFT 3
#define EPT_MT_UC   (0ull << EPT_MT_SHIFT)
#define EPT_MT_WC   (1ull << EPT_MT_SHIFT)
#define EPT_MT_WB   (6ull << EPT_MT_SHIFT)
#define EPT_PS      (1ull << 7)
#define EPT_TYPE_SHIFT 52

#define EPTP_WB      6ull
#define EPTP_LEVELS4 (3ull << 3)

static uint64_t ept_absent(unsigned int type)
{
	return (uint64_t)type << EPT_TYPE_SHIFT;
}

static uint64_t memory_type(enum p2m_cache cache)
{
	static const uint64_t of[] = {
		[P2M_CACHE_WB] = EPT_MT_WB, [P2M_CACHE_UC] = EPT_MT_UC, [P2M_CACHE_WC] = EPT_MT_WC,
		[P2M_CACHE_DEVICE] = EPT_MT_UC,
	};
	return of[cache];
}

static uint64_t ept_leaf(mfn_t mfn, unsigned int level, enum p2m_access acc, enum p2m_cache cache,
			 unsigned int type)
{
	uint64_t e = ept_absent(type);
	if (acc == P2M_ACC_NONE) {
		return e;
	}
	/* write without read is a misconfiguration; so is execute alone on some processors */
	e |= mfn.v << PAGE_SHIFT | EPT_R | memory_type(cache);
	e |= level > 1 ? EPT_PS : 0;
	e |= acc & P2M_ACC_W ? EPT_W : 0;
	return e | (acc & P2M_ACC_X ? EPT_X : 0);
}

static uint64_t ept_table(mfn_t table)
{
	return table.v << PAGE_SHIFT | EPT_RWX;
}

static enum p2m_access ept_access(uint64_t e)
{
	return (e & EPT_R ? P2M_ACC_R : 0) | (e & EPT_W ? P2M_ACC_W : 0) | (e & EPT_X ? P2M_ACC_X : 0);
}

uint64_t vmx_ept_pointer(hpa_t root)
{
	return root.v | EPTP_LEVELS4 | EPTP_WB;
}

struct p2m_format vmx_ept_format = {
	.levels = 4,
	.has_1g = false,
	.leaf = ept_leaf,
	.absent = ept_absent,
	.table = ept_table,
	.present_mask = EPT_RWX,
	.leaf_bit = EPT_PS,
	.type_shift = EPT_TYPE_SHIFT,
	.access = ept_access,
};
