/*
 * Memory type range registers.
 *
 * Owns: the choice of memory types. Default write-back, so that RAM anywhere is cached without an
 * entry; the VGA window write-combining; the PCI windows uncached. Pure.
 * Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", memory cache control.
 */
#include "hvmloader/mtrr.h"

enum {
	MSR_MTRR_CAP = 0xfe, MSR_BASE0 = 0x200, MSR_MASK0 = 0x201, MSR_FIX64K = 0x250,
	MSR_FIX16K_80000 = 0x258, MSR_FIX16K_A0000 = 0x259, MSR_FIX4K_C0000 = 0x268,
	MSR_DEF_TYPE = 0x2ff
};
enum { TYPE_UC = 0, TYPE_WC = 1, TYPE_WB = 6 };
#define CAP_FIXED      (1u << 8)
#define DEF_ENABLE     (1u << 11)
#define DEF_FIXED      (1u << 10)
#define MASK_VALID     (1u << 11)
#define FIX4K_COUNT    8
#define EIGHT(type)    ((type) * 0x0101010101010101ull)
#define SMALLEST       0x1000ull

static void program_fixed(const struct mtrr_ops *ops)
{
	ops->wrmsr(ops->ctx, MSR_FIX64K, EIGHT(TYPE_WB));
	ops->wrmsr(ops->ctx, MSR_FIX16K_80000, EIGHT(TYPE_WB));
	ops->wrmsr(ops->ctx, MSR_FIX16K_A0000, EIGHT(TYPE_WC));
	for (unsigned int i = 0; i < FIX4K_COUNT; i++) {
		ops->wrmsr(ops->ctx, MSR_FIX4K_C0000 + i, EIGHT(TYPE_WB));
	}
}

/* The largest power of two that start is aligned to and that does not reach beyond end. */
static uint64_t block_size(uint64_t start, uint64_t end)
{
	uint64_t size = start == 0 ? 1ull << 63 : start & (~start + 1);

	while (size > end - start) {
		size >>= 1;
	}
	return size;
}

static void program_range(const struct mtrr_ops *ops, uint64_t address_mask, uint64_t start,
			  uint64_t end, struct mtrr_report *report)
{
	start &= ~(SMALLEST - 1);
	end &= ~(SMALLEST - 1);
	while (start < end) {
		uint64_t size = block_size(start, end);
		uint32_t at = report->used * 2;

		if (report->used == report->available) {
			report->complete = false;
			return;
		}
		ops->wrmsr(ops->ctx, MSR_BASE0 + at, start | TYPE_UC);
		ops->wrmsr(ops->ctx, MSR_MASK0 + at, (~(size - 1) & address_mask) | MASK_VALID);
		report->used++;
		start += size;
	}
}

void mtrr_program(const struct mtrr_ops *ops, unsigned int phys_bits,
		  const struct mtrr_range *uncached, unsigned int ranges,
		  struct mtrr_report *report)
{
	uint64_t cap = ops->rdmsr(ops->ctx, MSR_MTRR_CAP);
	uint64_t address_mask = (1ull << phys_bits) - 1;

	*report = (struct mtrr_report){ .fixed = (cap & CAP_FIXED) != 0,
					.available = (unsigned int)(cap & 0xff),
					.complete = true };
	ops->wrmsr(ops->ctx, MSR_DEF_TYPE, 0);
	if (report->fixed) {
		program_fixed(ops);
	}
	for (unsigned int i = 0; i < ranges; i++) {
		program_range(ops, address_mask, uncached[i].start, uncached[i].end, report);
	}
	for (unsigned int i = report->used; i < report->available; i++) {
		ops->wrmsr(ops->ctx, MSR_MASK0 + i * 2, 0);
		ops->wrmsr(ops->ctx, MSR_BASE0 + i * 2, 0);
	}
	ops->wrmsr(ops->ctx, MSR_DEF_TYPE,
		   DEF_ENABLE | (report->fixed ? DEF_FIXED : 0) | TYPE_WB);
}
