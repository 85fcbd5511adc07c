/*
 * Where a guest's memory and its first program go. Pure: numbers in, numbers out.
 *
 * RAM: 0 .. 0xA0000, 0xC0000 .. the hole below 4 GiB, the rest from 4 GiB on. The hole holds PCI
 * windows, the special pages shared with the hypervisor and Dom0, and the APICs.
 * The addresses are those that hvmloader, QEMU and the PV drivers of guests expect.
 */
#ifndef TOOLSTACK_BUILD_LAYOUT_H
#define TOOLSTACK_BUILD_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "toolstack/lib/guestmem.h"

#define BUILD_HOLE_START    UINT64_C(0xf0000000)
#define BUILD_VGA_START	    UINT64_C(0xa0000)
#define BUILD_VGA_END	    UINT64_C(0xc0000)
#define BUILD_IMAGE_START   UINT64_C(0x100000)
#define BUILD_HVM_INFO_GPA  UINT64_C(0x9f800)
#define BUILD_SPECIAL_GFN   UINT64_C(0xfeff0) /* 8 for ioreq servers, then the 8 named below */
#define BUILD_SPECIAL_COUNT 16
#define BUILD_MAX_RUNS	    3
#define BUILD_MAX_E820	    2

enum build_special {
	BUILD_GFN_IOREQ_POOL = 0xfeff0, /* 8 frames */
	BUILD_GFN_PAGING = 0xfeff8,
	BUILD_GFN_ACCESS,
	BUILD_GFN_SHARING,
	BUILD_GFN_BUFIOREQ,
	BUILD_GFN_STORE,
	BUILD_GFN_IOREQ,
	BUILD_GFN_IDENT_PT,
	BUILD_GFN_CONSOLE,
};

struct build_layout {
	uint64_t low_end;  /* end of RAM below 4 GiB, bytes */
	uint64_t high_end; /* end of RAM above 4 GiB; 0: none */
	struct guestmem_run runs[BUILD_MAX_RUNS];
	unsigned int nr_runs;
	struct guestmem_e820 e820[BUILD_MAX_E820]; /* what the guest is told: RAM from 1 MiB on */
	unsigned int nr_e820;
};

/* `ram_kib`: RAM without video memory, whole MiB, at least 2 MiB. Result: 0 or -EINVAL. */
int build_layout_make(uint64_t ram_kib, struct build_layout *layout);

/* ---- the image to start: ELF32 for i386 ---- */

#define BUILD_MAX_SEGMENTS 8

struct build_segment {
	uint64_t gpa;
	uint64_t offset; /* in the file */
	uint64_t filesz;
	uint64_t memsz;
};

struct build_image {
	uint32_t entry;
	uint64_t start; /* lowest and highest address used, page-aligned */
	uint64_t end;
	struct build_segment segments[BUILD_MAX_SEGMENTS];
	unsigned int nr_segments;
};

/*
 * Read the headers of an ELF32 executable. Result: 0; -ENOEXEC when it is none; -EINVAL when it is
 * damaged or would not lie in [BUILD_IMAGE_START, limit).
 */
int build_image_parse(const void *file, size_t len, uint64_t limit, struct build_image *image);

/* ---- start_info and what it points to, as one block ---- */

#define BUILD_MAX_MODULES 2

struct build_module {
	uint64_t gpa;
	uint64_t size;
	const char *cmdline; /* "firmware" */
};

struct build_start {
	uint64_t gpa; /* of the block; hvm_start_info stands at its beginning */
	const char *cmdline;
	struct build_module modules[BUILD_MAX_MODULES];
	unsigned int nr_modules;
	const struct guestmem_e820 *e820;
	unsigned int nr_e820;
};

/*
 * Lay out hvm_start_info version 1, the module list, the memory map and the strings into `buf`, as
 * they
 * will stand at start->gpa. Result: bytes used, or -ENOSPC.
 */
long build_start_info(const struct build_start *start, uint8_t *buf, size_t size);

/* hvm_info_table for BUILD_HVM_INFO_GPA; returns its length, or -ENOSPC. */
long build_hvm_info(const struct build_layout *layout, unsigned int max_vcpus, unsigned int vcpus,
		    int apic_mode, uint8_t *buf, size_t size);

/* The identity page table for processors that cannot run real mode: 1024 entries of 4 MiB. */
void build_ident_pt(uint32_t table[1024]);

#endif
