/* Makes a firmware's memory map usable (contract in memmap.h). Pure. */
#include "arch/boot/memmap.h"
#include "lib/checked.h"
#include "lib/mem.h"
#include "lib/util.h"

bool memmap_add(struct bootinfo *b, uint64_t start, uint64_t size, uint32_t type)
{
	uint64_t end;

	if (size == 0 || add_overflows(start, size, &end)) {
		return true;
	}
	if (b->regions == BOOT_MEMMAP_MAX) {
		return false;
	}
	b->map[b->regions++] = (struct boot_region){ start, size, type };
	return true;
}

/* Which of two types holds where both are claimed: unusable before reserved before ACPI before RAM. */
static unsigned int strength(uint32_t type)
{
	switch (type) {
	case E820_RAM:
		return 1;
	case E820_ACPI:
		return 2;
	case E820_NVS:
		return 3;
	case E820_UNUSABLE:
		return 5;
	default:
		return 4;
	}
}

/* The type at an address and the end of the stretch on which no entry begins or ends. 0: nothing there. */
static uint32_t type_at(const struct bootinfo *b, uint64_t at, uint64_t *end)
{
	uint32_t type = 0;

	*end = UINT64_MAX;
	for (unsigned int i = 0; i < b->regions; i++) {
		const struct boot_region *r = &b->map[i];

		if (r->start > at) {
			*end = MIN(*end, r->start);
		} else if (r->start + r->size > at) {
			*end = MIN(*end, r->start + r->size);
			if (!type || strength(r->type) > strength(type)) {
				type = r->type;
			}
		}
	}
	return type;
}

void memmap_finish(struct bootinfo *b)
{
	struct boot_region out[BOOT_MEMMAP_MAX];
	unsigned int n = 0;
	uint64_t at = 0, end;

	for (; at != UINT64_MAX; at = end) {
		uint32_t type = type_at(b, at, &end);

		if (!type) {
			continue;
		}
		if (n && out[n - 1].type == type && out[n - 1].start + out[n - 1].size == at) {
			out[n - 1].size += end - at;
		} else if (n < BOOT_MEMMAP_MAX) {
			out[n++] = (struct boot_region){ at, end - at, type };
		}
	}
	memcpy(b->map, out, n * sizeof(out[0]));
	b->regions = n;
}
