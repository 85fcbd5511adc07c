/*
 * toolstack/build_layout.c and the extent chooser of lib/guestmem.c: exact layouts for memory sizes
 * around the hole, ELF headers good and bad, start-of-day structures byte by byte.
 */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <xen/xen.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_info_table.h>

#include "tests/fake/suite.h"
#include "toolstack/build_layout.h"

#define MIB UINT64_C(0x100000)

static struct build_layout l;

static void setup(void)
{
	memset(&l, 0xee, sizeof(l));
}

static uint64_t pages(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < l.nr_runs; i++) {
		sum += l.runs[i].count;
	}
	return sum;
}

START_TEST(test_small)
{
	ck_assert_int_eq(build_layout_make(80 * 1024, &l), 0);
	ck_assert_uint_eq(l.low_end, 80 * MIB);
	ck_assert_uint_eq(l.high_end, 0);
	ck_assert_uint_eq(l.nr_runs, 2);
	ck_assert_uint_eq(l.runs[0].gfn, 0);
	ck_assert_uint_eq(l.runs[0].count, 0xa0);
	ck_assert_uint_eq(l.runs[1].gfn, 0xc0);
	ck_assert_uint_eq(l.runs[1].count, 0x5000 - 0xc0);
	ck_assert_uint_eq(l.nr_e820, 1);
	ck_assert_uint_eq(l.e820[0].addr, MIB);
	ck_assert_uint_eq(l.e820[0].size, 79 * MIB);
	ck_assert_uint_eq(l.e820[0].type, 1);
}
END_TEST

/* At the hole nothing moves up; 1 MiB more, and that one is above 4 GiB. */
START_TEST(test_hole)
{
	ck_assert_int_eq(build_layout_make(3840 * 1024, &l), 0);
	ck_assert_uint_eq(l.low_end, 0xf0000000);
	ck_assert_uint_eq(l.high_end, 0);
	ck_assert_uint_eq(l.nr_runs, 2);
	ck_assert_int_eq(build_layout_make(3841 * 1024, &l), 0);
	ck_assert_uint_eq(l.low_end, 0xf0000000);
	ck_assert_uint_eq(l.high_end, 0x100100000);
	ck_assert_uint_eq(l.nr_runs, 3);
	ck_assert_uint_eq(l.runs[2].gfn, 0x100000);
	ck_assert_uint_eq(l.runs[2].count, 0x100);
	ck_assert_uint_eq(l.nr_e820, 2);
	ck_assert_uint_eq(l.e820[1].addr, 0x100000000);
	/* All RAM but the VGA window is backed, once. */
	ck_assert_uint_eq(pages(), 3841 * 256 - 0x20);
}
END_TEST

START_TEST(test_refused)
{
	ck_assert_int_eq(build_layout_make(1024, &l), -EINVAL);
	ck_assert_int_eq(build_layout_make(80 * 1024 + 1, &l), -EINVAL);
	ck_assert_int_eq(build_layout_make(UINT64_MAX - 1023, &l), -EINVAL);
}
END_TEST

/* Walk runs with the piece chooser: aligned, complete, never past the end. */
START_TEST(test_pieces)
{
	static const unsigned int max_orders[] = {18, 9, 0};
	uint64_t n;

	ck_assert_uint_eq(guestmem_piece(0xc0, 0x10000, 18, &n), 0);
	ck_assert_uint_eq(n, 0x140);
	ck_assert_uint_eq(guestmem_piece(0x200, 0x10000, 18, &n), 9);
	ck_assert_uint_eq(guestmem_piece(0x40000, 0x80000, 18, &n), 18);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(guestmem_piece(0x40000, 0x80000, 9, &n), 9);
	ck_assert_uint_eq(guestmem_piece(0x200, 0x1ff, 18, &n), 0);
	ck_assert_uint_eq(n, 0x1ff);
	for (unsigned int m = 0; m < 3; m++) {
		uint64_t gfn = 0xc0;
		uint64_t left = 0xc0000;

		while (left != 0) {
			unsigned int order = guestmem_piece(gfn, left, max_orders[m], &n);

			ck_assert_uint_ge(n, 1);
			ck_assert_uint_le(order, max_orders[m]);
			ck_assert_uint_eq(gfn & ((UINT64_C(1) << order) - 1), 0);
			ck_assert_uint_le(n << order, left);
			gfn += n << order;
			left -= n << order;
		}
	}
}
END_TEST

static uint8_t elf[512];

/* One segment at 1 MiB: 0x100 bytes of file, 0x2345 of memory. */
static Elf32_Phdr *make_elf(void)
{
	Elf32_Ehdr *eh = (Elf32_Ehdr *)elf;
	Elf32_Phdr *ph = (Elf32_Phdr *)(elf + sizeof(*eh));

	memset(elf, 0, sizeof(elf));
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS32;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_machine = EM_386;
	eh->e_type = ET_EXEC;
	eh->e_phoff = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 1;
	eh->e_entry = 0x100010;
	ph->p_type = PT_LOAD;
	ph->p_offset = 0x80;
	ph->p_paddr = 0x100000;
	ph->p_filesz = 0x100;
	ph->p_memsz = 0x2345;
	return ph;
}

START_TEST(test_image)
{
	struct build_image image;

	make_elf();
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), 0);
	ck_assert_uint_eq(image.entry, 0x100010);
	ck_assert_uint_eq(image.start, 0x100000);
	ck_assert_uint_eq(image.end, 0x103000);
	ck_assert_uint_eq(image.nr_segments, 1);
	ck_assert_uint_eq(image.segments[0].offset, 0x80);
}
END_TEST

START_TEST(test_image_damaged)
{
	struct build_image image;
	Elf32_Ehdr *eh = (Elf32_Ehdr *)elf;

	make_elf()->p_filesz = 0x3000; /* more than in memory */
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -EINVAL);
	make_elf()->p_offset = 0x1c0; /* past the end of the file */
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -EINVAL);
	make_elf()->p_offset = 0xffffffff;
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -EINVAL);
	make_elf()->p_paddr = 0x1000; /* over the low memory the firmware needs */
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -EINVAL);
	make_elf()->p_memsz = 0xfff00000;
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -EINVAL);
	make_elf();
	eh->e_entry = 0x200000;
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -EINVAL);
	make_elf();
	eh->e_phoff = 0xfffffff0;
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -EINVAL);
	make_elf();
	eh->e_machine = EM_X86_64;
	ck_assert_int_eq(build_image_parse(elf, sizeof(elf), 16 * MIB, &image), -ENOEXEC);
	ck_assert_int_eq(build_image_parse(elf, 10, 16 * MIB, &image), -ENOEXEC);
}
END_TEST

START_TEST(test_start_info)
{
	struct build_start start = {
		.gpa = 0x174000,
		.modules = {{0x134000, 0x40000, "firmware"}},
		.nr_modules = 1,
		.e820 = l.e820,
	};
	uint8_t buf[4096];
	const struct hvm_start_info *info = (const void *)buf;
	const struct hvm_modlist_entry *mod;
	const struct hvm_memmap_table_entry *map;
	long len;

	ck_assert_int_eq(build_layout_make(80 * 1024, &l), 0);
	start.nr_e820 = l.nr_e820;
	len = build_start_info(&start, buf, sizeof(buf));
	ck_assert_int_gt(len, 0);
	ck_assert_uint_eq(info->magic, 0x336ec578);
	ck_assert_uint_eq(info->version, 1);
	ck_assert_uint_eq(info->flags, 0);
	ck_assert_uint_eq(info->nr_modules, 1);
	ck_assert_uint_eq(info->cmdline_paddr, 0);
	mod = (const void *)(buf + (info->modlist_paddr - start.gpa));
	ck_assert_uint_eq(mod->paddr, 0x134000);
	ck_assert_uint_eq(mod->size, 0x40000);
	ck_assert_str_eq((const char *)buf + (mod->cmdline_paddr - start.gpa), "firmware");
	ck_assert_uint_eq(info->memmap_entries, 1);
	map = (const void *)(buf + (info->memmap_paddr - start.gpa));
	ck_assert_uint_eq(map->addr, MIB);
	ck_assert_uint_eq(map->size, 79 * MIB);
	ck_assert_uint_eq(map->type, XEN_HVM_MEMMAP_TYPE_RAM);
	/* Every shorter block is refused, not overrun. */
	for (long size = 0; size < len; size++) {
		ck_assert_int_eq(build_start_info(&start, buf, (size_t)size), -ENOSPC);
	}
}
END_TEST

START_TEST(test_hvm_info)
{
	uint8_t buf[64];
	const struct hvm_info_table *info = (const void *)buf;
	uint8_t sum = 0;

	ck_assert_int_eq(build_layout_make(3841 * 1024, &l), 0);
	ck_assert_int_eq(build_hvm_info(&l, 4, 3, 1, buf, sizeof(buf)), 48);
	ck_assert_mem_eq(info->signature, "HVM INFO", 8);
	ck_assert_uint_eq(info->length, 48);
	ck_assert_uint_eq(info->nr_vcpus, 4);
	ck_assert_uint_eq(info->vcpu_online[0], 7);
	ck_assert_uint_eq(info->low_mem_pgend, 0xf0000);
	ck_assert_uint_eq(info->high_mem_pgend, 0x100100);
	ck_assert_uint_eq(info->reserved_mem_pgstart, 0xfeff0);
	for (unsigned int i = 0; i < 48; i++) {
		sum = (uint8_t)(sum + buf[i]);
	}
	ck_assert_uint_eq(sum, 0);
	ck_assert_int_eq(build_hvm_info(&l, 129, 129, 1, buf, sizeof(buf)), -ENOSPC);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_small, test_hole, test_refused, test_pieces, test_image,
		test_image_damaged, test_start_info, test_hvm_info, NULL,
	};

	return suite_run("build_layout", setup, tests);
}
