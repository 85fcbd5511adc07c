/* Multiboot1 information (Multiboot Specification 0.6.96, "Boot information format"). Pure. */
#include "arch/boot/memmap.h"
#include "arch/boot/multiboot.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { HAS_MEM = 1, HAS_CMDLINE = 4, HAS_MODULES = 8, HAS_MMAP = 64 };

struct mb1_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr;
};

struct mb1_module {
	uint32_t start, end, string, reserved;
};

struct mb1_mmap_entry {
	uint32_t size;                  /* of the rest */
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

struct reader {
	multiboot1_find find;
	void *ctx;
};

/* A terminated text somewhere in memory, byte by byte: its length is not known. */
static void copy_text(const struct reader *r, char *dst, size_t size, uint64_t addr)
{
	size_t n = 0;

	while (n + 1 < size) {
		const char *c = r->find(r->ctx, addr + n, 1);

		if (!c || !*c) {
			break;
		}
		dst[n++] = *c;
	}
	dst[n] = '\0';
}

static int parse_modules(const struct reader *r, const struct mb1_info *info, struct bootinfo *b)
{
	if (info->mods_count > BOOT_MODULES_MAX) {
		return -E2BIG;
	}
	for (unsigned int i = 0; i < info->mods_count; i++) {
		const struct mb1_module *m = r->find(r->ctx, info->mods_addr + i * sizeof(*m), sizeof(*m));
		struct boot_module *out = &b->module[i];

		if (!m || m->end < m->start) {
			return -EINVAL;
		}
		out->start = HPA(m->start);
		out->size = m->end - m->start;
		if (m->string) {
			copy_text(r, out->cmdline, sizeof(out->cmdline), m->string);
		}
		b->modules++;
	}
	return 0;
}

static int parse_mmap(const struct reader *r, const struct mb1_info *info, struct bootinfo *b)
{
	struct mb1_mmap_entry e;
	uint64_t at = 0;

	while (at + sizeof(e) <= info->mmap_length) {
		const void *p = r->find(r->ctx, info->mmap_addr + at, sizeof(e));

		if (!p) {
			return -EINVAL;
		}
		memcpy(&e, p, sizeof(e));
		if (e.size < sizeof(e) - sizeof(e.size)) {
			return -EINVAL;
		}
		if (!memmap_add(b, e.start, e.length, e.type)) {
			return -E2BIG;
		}
		at += (uint64_t)e.size + sizeof(e.size);
	}
	return 0;
}

int multiboot1_parse(uint64_t info_addr, multiboot1_find find, void *ctx, struct bootinfo *b)
{
	struct reader r = { find, ctx };
	const void *p = find(ctx, info_addr, sizeof(struct mb1_info));
	struct mb1_info info;
	int rc = 0;

	memset(b, 0, sizeof(*b));
	if (!p) {
		return -EINVAL;
	}
	memcpy(&info, p, sizeof(info));
	if (info.flags & HAS_CMDLINE) {
		copy_text(&r, b->cmdline, sizeof(b->cmdline), info.cmdline);
	}
	if (info.flags & HAS_MODULES) {
		rc = parse_modules(&r, &info, b);
	}
	if (!rc && info.flags & HAS_MMAP) {
		rc = parse_mmap(&r, &info, b);
	} else if (!rc && info.flags & HAS_MEM) {
		memmap_add(b, 0, (uint64_t)info.mem_lower << 10, E820_RAM);
		memmap_add(b, 1 << 20, (uint64_t)info.mem_upper << 10, E820_RAM);
	}
	memmap_finish(b);
	return rc;
}
