/* Code addresses to names (contract in symtab.h). The table comes from tools/mksymtab. */
#include "core/symtab.h"
#include "arch/layout.h"
#include "lib/printf.h"

extern const uint32_t symtab_count;
extern const uint32_t symtab_addr[];    /* sorted, relative to IMAGE_VIRT */
extern const uint32_t symtab_name[];    /* offset in symtab_text */
extern const char symtab_text[];
extern const char image_start[], image_text_end[];

bool symtab_name_of(uint64_t addr, char *buf, size_t size)
{
	uint32_t offset = (uint32_t)(addr - IMAGE_VIRT), lo = 0, hi = symtab_count;

	if (addr < (uint64_t)image_start || addr >= (uint64_t)image_text_end) {
		return false;
	}
	/* Find the first symbol above the address. */
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (symtab_addr[mid] <= offset) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	if (lo == 0) {
		return false;
	}
	printf_str(buf, size, "%s+0x%x", symtab_text + symtab_name[lo - 1], offset - symtab_addr[lo - 1]);
	return true;
}
