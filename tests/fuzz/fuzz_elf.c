/*
 * Kernel images from outside. Oracle: every byte that the reader hands out lies within the image, sizes are as promised,
 * and results are the documented ones. With the first byte odd a right ELF header is put in front, so that random input
 * gets past it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(c)                  \
	do {                     \
		if (!(c)) {      \
			abort(); \
		}                \
	} while (0)

struct image {
	const uint8_t *bytes;
	size_t size;
	unsigned int sum;
};

static int copy(void *arg, uint64_t paddr, const void *src, uint64_t filesz, uint64_t memsz)
{
	struct image *im = arg;
	const uint8_t *from = src;

	MUST(filesz <= memsz && paddr + memsz >= paddr);
	MUST(from >= im->bytes && filesz <= im->size && (size_t)(from - im->bytes) <= im->size - filesz);
	for (uint64_t i = 0; i < filesz; i += 17) {
		im->sum += from[i];
	}
	return im->sum == 0xdead ? -ENOSPC : 0;
}

static void put(uint8_t *p, uint64_t v, unsigned int size)
{
	memcpy(p, &v, size);
}

/* As many program headers as there is room for; small numbers in them, so that some fit the image. */
static void make_plausible(uint8_t *p, size_t size)
{
	size_t room = size > 64 ? (size - 64) / 56 : 0;

	if (size < 64) {
		return;
	}
	memcpy(p, "\177ELF\2\1\1", 7);
	put(p + 18, 62, 2);
	put(p + 32, 64, 8);
	put(p + 54, 56, 2);
	put(p + 56, room > 3 ? 3 : room, 2);
	for (size_t i = 0; i < room && i < 3; i++) {
		uint8_t *h = p + 64 + i * 56;

		put(h, h[0] & 1 ? 1 : 4, 4);
		put(h + 8, h[8] % size, 8);
		put(h + 32, h[32] % size, 8);
		put(h + 40, h[40] & 1 ? h[32] : (uint64_t)h[32] + h[41], 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const owners[] = { "Xen", "GNU", "", "A" };
	uint8_t *p = malloc(size ? size : 1);
	struct image im = { p, size, 0 };
	uint64_t value;

	MUST(p != NULL);
	if (size != 0) {
		memcpy(p, data, size);
		if (data[0] & 1) {
			make_plausible(p, size);
		}
	}
	int rc = elf64_load(p, size, copy, &im);
	MUST(rc == 0 || rc == -ENOEXEC || rc == -ENOSPC);
	for (unsigned int i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		for (uint32_t type = 0; type < 3; type++) {
			rc = elf64_note(p, size, owners[i], type, &value);
			MUST(rc == 0 || rc == -ENOEXEC || rc == -ENOENT);
		}
	}
	free(p);
	return 0;
}
