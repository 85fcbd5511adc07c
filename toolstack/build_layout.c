/*
 * Guest memory layout and start-of-day structures. See build_layout.h.
 */
#include "toolstack/build_layout.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_info_table.h>

#define BUILD_4GIB UINT64_C(0x100000000)

_Static_assert(BUILD_GFN_CONSOLE == BUILD_SPECIAL_GFN + BUILD_SPECIAL_COUNT - 1,
	       "special pages are one run");

static void build_add_run(struct build_layout *l, uint64_t from, uint64_t to)
{
	if (to > from) {
		l->runs[l->nr_runs].gfn = from >> GUESTMEM_PAGE_SHIFT;
		l->runs[l->nr_runs].count = (to - from) >> GUESTMEM_PAGE_SHIFT;
		l->nr_runs++;
	}
}

static void build_add_e820(struct build_layout *l, uint64_t from, uint64_t to)
{
	if (to > from) {
		l->e820[l->nr_e820++] = (struct guestmem_e820){
			.addr = from,
			.size = to - from,
			.type = GUESTMEM_E820_RAM,
		};
	}
}

int build_layout_make(uint64_t ram_kib, struct build_layout *layout)
{
	uint64_t bytes;

	memset(layout, 0, sizeof(*layout));
	if (ram_kib < 2048 || ram_kib % 1024 != 0 || ram_kib > (UINT64_C(1) << 34)) {
		return -EINVAL;
	}
	bytes = ram_kib << 10;
	layout->low_end = bytes < BUILD_HOLE_START ? bytes : BUILD_HOLE_START;
	layout->high_end = bytes > BUILD_HOLE_START ? BUILD_4GIB + bytes - BUILD_HOLE_START : 0;
	build_add_run(layout, 0, BUILD_VGA_START);
	build_add_run(layout, BUILD_VGA_END, layout->low_end);
	build_add_run(layout, BUILD_4GIB, layout->high_end);
	build_add_e820(layout, BUILD_IMAGE_START, layout->low_end);
	build_add_e820(layout, BUILD_4GIB, layout->high_end);
	return 0;
}

static int build_image_segment(const Elf32_Phdr *ph, size_t len, uint64_t limit,
			       struct build_image *image)
{
	struct build_segment *seg;

	if (image->nr_segments == BUILD_MAX_SEGMENTS || ph->p_filesz > ph->p_memsz ||
	    (uint64_t)ph->p_offset + ph->p_filesz > len || ph->p_paddr < BUILD_IMAGE_START ||
	    (uint64_t)ph->p_paddr + ph->p_memsz > limit) {
		return -EINVAL;
	}
	seg = &image->segments[image->nr_segments++];
	seg->gpa = ph->p_paddr;
	seg->offset = ph->p_offset;
	seg->filesz = ph->p_filesz;
	seg->memsz = ph->p_memsz;
	if (seg->gpa < image->start) {
		image->start = seg->gpa;
	}
	if (seg->gpa + seg->memsz > image->end) {
		image->end = seg->gpa + seg->memsz;
	}
	return 0;
}

int build_image_parse(const void *file, size_t len, uint64_t limit, struct build_image *image)
{
	const uint8_t *bytes = file;
	Elf32_Ehdr eh;
	Elf32_Phdr ph;

	memset(image, 0, sizeof(*image));
	image->start = UINT64_MAX;
	if (len < sizeof(eh)) {
		return -ENOEXEC;
	}
	memcpy(&eh, bytes, sizeof(eh));
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_ident[EI_CLASS] != ELFCLASS32 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB || eh.e_machine != EM_386 || eh.e_type != ET_EXEC) {
		return -ENOEXEC;
	}
	if (eh.e_phentsize != sizeof(ph)) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < eh.e_phnum; i++) {
		uint64_t at = (uint64_t)eh.e_phoff + (uint64_t)i * sizeof(ph);

		if (at + sizeof(ph) > len) {
			return -EINVAL;
		}
		memcpy(&ph, bytes + at, sizeof(ph));
		if (ph.p_type != PT_LOAD || ph.p_memsz == 0) {
			continue;
		}
		if (build_image_segment(&ph, len, limit, image) != 0) {
			return -EINVAL;
		}
	}
	if (image->nr_segments == 0 || eh.e_entry < image->start || eh.e_entry >= image->end) {
		return -EINVAL;
	}
	image->entry = eh.e_entry;
	image->start &= ~(uint64_t)(GUESTMEM_PAGE_SIZE - 1);
	image->end = (image->end + GUESTMEM_PAGE_SIZE - 1) & ~(uint64_t)(GUESTMEM_PAGE_SIZE - 1);
	return 0;
}

/* Takes room from the block, aligned to 8; NULL when it is full. */
struct build_room {
	uint8_t *buf;
	size_t size;
	size_t used;
};

static void *build_take(struct build_room *room, size_t bytes)
{
	void *at = room->buf + room->used;

	bytes = (bytes + 7) & ~(size_t)7;
	if (bytes > room->size - room->used) {
		return NULL;
	}
	room->used += bytes;
	memset(at, 0, bytes);
	return at;
}

static uint64_t build_gpa_of(const struct build_start *start, const struct build_room *room,
			     const void *at)
{
	return start->gpa + (uint64_t)((const uint8_t *)at - room->buf);
}

/* Copies a string into the block; 0 when there is none, UINT64_MAX when it does not fit. */
static uint64_t build_put_text(const struct build_start *start, struct build_room *room,
			       const char *text)
{
	char *at;

	if (text == NULL) {
		return 0;
	}
	at = build_take(room, strlen(text) + 1);
	if (at == NULL) {
		return UINT64_MAX;
	}
	strcpy(at, text);
	return build_gpa_of(start, room, at);
}

long build_start_info(const struct build_start *start, uint8_t *buf, size_t size)
{
	struct build_room room = {.buf = buf, .size = size & ~(size_t)7};
	struct hvm_start_info *info = build_take(&room, sizeof(*info));
	struct hvm_modlist_entry *mods = build_take(&room, start->nr_modules * sizeof(*mods));
	struct hvm_memmap_table_entry *map = build_take(&room, start->nr_e820 * sizeof(*map));

	if (info == NULL || mods == NULL || map == NULL) {
		return -ENOSPC;
	}
	info->magic = XEN_HVM_START_MAGIC_VALUE;
	info->version = 1;
	info->nr_modules = start->nr_modules;
	info->modlist_paddr = start->nr_modules != 0 ? build_gpa_of(start, &room, mods) : 0;
	info->memmap_paddr = build_gpa_of(start, &room, map);
	info->memmap_entries = start->nr_e820;
	info->cmdline_paddr = build_put_text(start, &room, start->cmdline);
	if (info->cmdline_paddr == UINT64_MAX) {
		return -ENOSPC;
	}
	for (unsigned int i = 0; i < start->nr_modules; i++) {
		mods[i].paddr = start->modules[i].gpa;
		mods[i].size = start->modules[i].size;
		mods[i].cmdline_paddr = build_put_text(start, &room, start->modules[i].cmdline);
		if (mods[i].cmdline_paddr == UINT64_MAX) {
			return -ENOSPC;
		}
	}
	for (unsigned int i = 0; i < start->nr_e820; i++) {
		map[i].addr = start->e820[i].addr;
		map[i].size = start->e820[i].size;
		map[i].type = start->e820[i].type;
	}
	return (long)room.used;
}

long build_hvm_info(const struct build_layout *layout, unsigned int max_vcpus, unsigned int vcpus,
		    int apic_mode, uint8_t *buf, size_t size)
{
	struct hvm_info_table info = {
		.signature = "HVM INFO",
		.length = sizeof(info),
		.apic_mode = apic_mode != 0,
		.nr_vcpus = max_vcpus,
		.low_mem_pgend = (uint32_t)(layout->low_end >> GUESTMEM_PAGE_SHIFT),
		.high_mem_pgend = (uint32_t)(layout->high_end >> GUESTMEM_PAGE_SHIFT),
		.reserved_mem_pgstart = (uint32_t)BUILD_SPECIAL_GFN,
	};
	const uint8_t *bytes = (const uint8_t *)&info;
	uint8_t sum = 0;

	if (size < sizeof(info) || vcpus > HVM_MAX_VCPUS) {
		return -ENOSPC;
	}
	for (unsigned int i = 0; i < vcpus; i++) {
		info.vcpu_online[i / 8] |= (uint8_t)(1u << (i % 8));
	}
	for (size_t i = 0; i < sizeof(info); i++) {
		sum = (uint8_t)(sum + bytes[i]);
	}
	info.checksum = (uint8_t)-sum;
	memcpy(buf, &info, sizeof(info));
	return sizeof(info);
}

void build_ident_pt(uint32_t table[1024])
{
	/* present, writable, user, accessed, dirty, 4 MiB */
	const uint32_t flags = 0xe7;

	for (uint32_t i = 0; i < 1024; i++) {
		table[i] = (i << 22) | flags;
	}
}
