/* Multiboot2 information (Multiboot2 Specification, "Boot information format"). Pure. */
#include "arch/boot/memmap.h"
#include "arch/boot/multiboot.h"
#include "lib/err.h"
#include "lib/mem.h"

enum { TAG_END = 0, TAG_CMDLINE = 1, TAG_MODULE = 3, TAG_MMAP = 6, TAG_EFI64 = 12, TAG_RSDP1 = 14, TAG_RSDP2 = 15 };

struct mb2_header {
	uint32_t total_size, reserved;
};

struct mb2_tag {
	uint32_t type, size;
};

struct mb2_module {
	struct mb2_tag tag;
	uint32_t start, end;
};

struct mb2_mmap {
	struct mb2_tag tag;
	uint32_t entry_size, version;
};

struct mb2_mmap_entry {
	uint64_t start, size;
	uint32_t type, reserved;
};

/* Text of a tag: from offset to the end of the tag, terminated or not. */
static void copy_text(char *dst, size_t dst_size, const uint8_t *tag, size_t offset, size_t size)
{
	size_t n = MIN(strnlen((const char *)tag + offset, size - offset), dst_size - 1);

	memcpy(dst, tag + offset, n);
	dst[n] = '\0';
}

static int parse_module(const uint8_t *p, size_t size, struct bootinfo *b)
{
	struct mb2_module m;
	struct boot_module *out;

	if (size < sizeof(m)) {
		return -EINVAL;
	}
	memcpy(&m, p, sizeof(m));
	if (m.end < m.start) {
		return -EINVAL;
	}
	if (b->modules == BOOT_MODULES_MAX) {
		return -E2BIG;
	}
	out = &b->module[b->modules++];
	out->start = HPA(m.start);
	out->size = m.end - m.start;
	copy_text(out->cmdline, sizeof(out->cmdline), p, sizeof(m), size);
	return 0;
}

static int parse_mmap(const uint8_t *p, size_t size, struct bootinfo *b)
{
	struct mb2_mmap h;
	struct mb2_mmap_entry e;

	if (size < sizeof(h)) {
		return -EINVAL;
	}
	memcpy(&h, p, sizeof(h));
	if (h.entry_size < sizeof(e)) {
		return -EINVAL;
	}
	for (size_t at = sizeof(h); size - at >= h.entry_size; at += h.entry_size) {
		memcpy(&e, p + at, sizeof(e));
		if (!memmap_add(b, e.start, e.size, e.type)) {
			return -E2BIG;
		}
	}
	return 0;
}

static int parse_tag(uint32_t type, const uint8_t *p, size_t size, struct bootinfo *b)
{
	switch (type) {
	case TAG_CMDLINE:
		copy_text(b->cmdline, sizeof(b->cmdline), p, sizeof(struct mb2_tag), size);
		return 0;
	case TAG_MODULE:
		return parse_module(p, size, b);
	case TAG_MMAP:
		return parse_mmap(p, size, b);
	case TAG_EFI64:
		if (size < sizeof(struct mb2_tag) + sizeof(uint64_t)) {
			return -EINVAL;
		}
		memcpy(&b->efi_systab, p + sizeof(struct mb2_tag), sizeof(uint64_t));
		return 0;
	case TAG_RSDP1:
	case TAG_RSDP2:
		/* The newer one wins, whatever the order. */
		if (size - sizeof(struct mb2_tag) >= b->rsdp_len) {
			b->rsdp_len = (unsigned int)MIN(size - sizeof(struct mb2_tag), sizeof(b->rsdp));
			memcpy(b->rsdp, p + sizeof(struct mb2_tag), b->rsdp_len);
		}
		return 0;
	default:
		return 0;
	}
}

int multiboot2_parse(const void *buf, size_t size, struct bootinfo *b)
{
	const uint8_t *p = buf;
	struct mb2_header h;
	struct mb2_tag t;
	int rc;

	memset(b, 0, sizeof(*b));
	if (size < sizeof(h)) {
		return -EINVAL;
	}
	memcpy(&h, p, sizeof(h));
	if (h.total_size < sizeof(h) || h.total_size > size) {
		return -EINVAL;
	}
	size = h.total_size;
	for (size_t at = sizeof(h); size - at >= sizeof(t);) {
		memcpy(&t, p + at, sizeof(t));
		if (t.size < sizeof(t) || t.size > size - at) {
			return -EINVAL;
		}
		if (t.type == TAG_END) {
			break;
		}
		rc = parse_tag(t.type, p + at, t.size, b);
		if (rc) {
			return rc;
		}
		at = MIN(at + ALIGN_UP((size_t)t.size, 8), size);
	}
	memmap_finish(b);
	return 0;
}
