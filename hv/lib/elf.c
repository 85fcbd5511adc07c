/* ELF64 images. Contract in elf.h. */
#include "lib/elf.h"
#include "lib/checked.h"
#include <stdbool.h>
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/util.h"

struct ehdr {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct nhdr {
	uint32_t namesz, descsz, type;
};

enum { PT_LOAD = 1, PT_NOTE = 4, EM_X86_64 = 62 };

/* Is [offset, offset+len) inside the image? */
static bool inside(uint64_t size, uint64_t offset, uint64_t len)
{
	uint64_t end;
	return !add_overflows(offset, len, &end) && end <= size;
}

static int read_header(const void *image, uint64_t size, struct ehdr *e)
{
	if (size < sizeof(*e)) {
		return -ENOEXEC;
	}
	memcpy(e, image, sizeof(*e));
	/* class 64, little-endian */
	if (memcmp(e->ident, "\177ELF\2\1", 6) != 0 || e->machine != EM_X86_64 ||
	    e->phentsize != sizeof(struct phdr) || !inside(size, e->phoff, (uint64_t)e->phnum * e->phentsize)) {
		return -ENOEXEC;
	}
	return 0;
}

static int read_phdr(const void *image, uint64_t size, const struct ehdr *e, unsigned int i, struct phdr *p)
{
	memcpy(p, (const char *)image + e->phoff + i * sizeof(*p), sizeof(*p));
	uint64_t end;
	if (p->type != PT_LOAD && p->type != PT_NOTE) {
		return 0;
	}
	return inside(size, p->offset, p->filesz) && p->memsz >= p->filesz &&
			       !add_overflows(p->paddr, p->memsz, &end) ? 0 : -ENOEXEC;
}

int elf64_load(const void *image, uint64_t size, elf_copy_fn copy, void *arg)
{
	struct ehdr e;
	struct phdr p;
	int rc = read_header(image, size, &e);
	for (unsigned int i = 0; rc == 0 && i < e.phnum; i++) {
		rc = read_phdr(image, size, &e, i, &p);
		if (rc == 0 && p.type == PT_LOAD) {
			rc = copy(arg, p.paddr, (const char *)image + p.offset, p.filesz, p.memsz);
		}
	}
	return rc;
}

/* One PT_NOTE segment. 0 found, -ENOENT not here. Names and values are padded to 4 bytes, in a segment that is aligned
 * to 8 (GNU properties) to 8 from the segment's start. */
static int search_notes(const char *notes, uint64_t size, uint64_t align, const char *owner, uint32_t type,
			uint64_t *value)
{
	uint64_t at = 0, owner_size = strlen(owner) + 1;
	while (inside(size, at, sizeof(struct nhdr))) {
		struct nhdr n;
		memcpy(&n, notes + at, sizeof(n));
		uint64_t name = at + sizeof(n);
		uint64_t desc = ALIGN_UP(name + n.namesz, align);
		if (!inside(size, name, n.namesz) || !inside(size, desc, n.descsz)) {
			return -ENOEXEC;
		}
		if (n.type == type && n.namesz == owner_size && memcmp(notes + name, owner, owner_size) == 0 &&
		    (n.descsz == 4 || n.descsz == 8)) {
			*value = 0;
			memcpy(value, notes + desc, n.descsz);
			return 0;
		}
		at = ALIGN_UP(desc + n.descsz, align);
	}
	return -ENOENT;
}

int elf64_note(const void *image, uint64_t size, const char *owner, uint32_t type, uint64_t *value)
{
	struct ehdr e;
	struct phdr p;
	int rc = read_header(image, size, &e);
	for (unsigned int i = 0; rc == 0 && i < e.phnum; i++) {
		rc = read_phdr(image, size, &e, i, &p);
		if (rc == 0 && p.type == PT_NOTE) {
			rc = search_notes((const char *)image + p.offset, p.filesz, p.align == 8 ? 8 : 4, owner,
					  type, value);
			if (rc != -ENOENT) {
				return rc;
			}
			rc = 0;
		}
	}
	return rc != 0 ? rc : -ENOENT;
}
