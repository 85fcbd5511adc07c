/* Dividing the machine's RAM (contract in memplan.h). Pure. */
#include "arch/boot/memplan.h"
#include "lib/addr.h"

#define HV_MINIMUM   (64ull << 20)
#define DOM0_DEFAULT (1ull << 30)
#define LARGE_PAGE   (2ull << 20)
#define LOW_LIMIT    0xa0000ull

uint64_t memplan_ram(const struct bootinfo *b, struct rangeset *ram)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < b->regions; i++) {
		uint64_t start = ALIGN_UP(b->map[i].start, (uint64_t)PAGE_SIZE);
		uint64_t end = ALIGN_DOWN(b->map[i].start + b->map[i].size, (uint64_t)PAGE_SIZE);

		if (b->map[i].type == E820_RAM && end > start && rangeset_insert(ram, start, end - 1) == 0) {
			total += end - start;
		}
	}
	return total;
}

bool memplan_find(const struct rangeset *rs, uint64_t size, uint64_t align, uint64_t limit, uint64_t *addr)
{
	for (unsigned int i = rs->count; i > 0; i--) {
		const struct range *r = &rs->range[i - 1];
		uint64_t end = MIN(r->last + 1, limit), start;

		if (end < size || r->first >= end) {
			continue;
		}
		start = ALIGN_DOWN(end - size, align);
		if (start >= r->first) {
			*addr = start;
			return true;
		}
	}
	return false;
}

uint64_t memplan_dom0_size(uint64_t total, uint64_t asked)
{
	uint64_t size = asked ? asked : MIN(total / 2, DOM0_DEFAULT);

	if (total < 2 * HV_MINIMUM) {
		return total / 2;
	}
	return MIN(size, total - HV_MINIMUM);
}

uint64_t memplan_boundary(const struct rangeset *ram, uint64_t bytes)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < ram->count && bytes; i++) {
		uint64_t size = MIN(ram->range[i].last - ram->range[i].first + 1, bytes);

		bytes -= size;
		end = ram->range[i].first + size;
	}
	return ALIGN_UP(end, LARGE_PAGE);
}

uint64_t memplan_trampoline(const struct rangeset *ram)
{
	uint64_t addr = 0;

	return memplan_find(ram, PAGE_SIZE, PAGE_SIZE, LOW_LIMIT, &addr) ? addr : 0;
}
