/* multiboot1.c and multiboot2.c: good information, every cut of it, and broken fields. */
#include <string.h>
#include "arch/boot/multiboot.h"
#include "lib/err.h"
#include "fake/suite.h"

static struct bootinfo b;

/* A builder of multiboot2 tags. */
static uint8_t info[4096] __attribute__((aligned(8)));
static size_t used;

static void put(const void *p, size_t n)
{
	memcpy(info + used, p, n);
	used += n;
}

static void put32(uint32_t v)
{
	put(&v, sizeof(v));
}

static void put64(uint64_t v)
{
	put(&v, sizeof(v));
}

static size_t tag_begin(uint32_t type)
{
	size_t at = used;

	put32(type);
	put32(0);
	return at;
}

static void tag_end(size_t at)
{
	uint32_t size = (uint32_t)(used - at);

	memcpy(info + at + 4, &size, sizeof(size));
	used = (used + 7) & ~7ul;
}

static void finish(void)
{
	uint32_t total;

	tag_end(tag_begin(0));
	total = (uint32_t)used;
	memcpy(info, &total, sizeof(total));
}

static void setup(void)
{
	memset(info, 0, sizeof(info));
	used = 8;
}

static void text_tag(uint32_t type, const char *text)
{
	size_t at = tag_begin(type);

	put(text, strlen(text) + 1);
	tag_end(at);
}

static void module_tag(uint32_t start, uint32_t end, const char *text)
{
	size_t at = tag_begin(3);

	put32(start);
	put32(end);
	put(text, strlen(text) + 1);
	tag_end(at);
}

static void usual(void)
{
	size_t at;

	text_tag(1, "dom0_mem=512M console=com1");
	module_tag(0x300000, 0x500000, "vmlinux root=/dev/ram0");
	module_tag(0x500000, 0x500001, "");
	at = tag_begin(6);
	put32(24);
	put32(0);
	put64(0x100000), put64(0x3ff00000), put32(1), put32(0);
	put64(0), put64(0x9fc00), put32(1), put32(0);
	tag_end(at);
	at = tag_begin(14);
	put("RSD PTR 0123456789ab", 20);
	tag_end(at);
	at = tag_begin(15);
	put("RSD PTR 0123456789abcdefghijklmnopqr", 36);
	tag_end(at);
	at = tag_begin(12);
	put64(0x7ff00018);
	tag_end(at);
	text_tag(99, "unknown tags are skipped");
	finish();
}

START_TEST(test_usual)
{
	usual();
	ck_assert_int_eq(multiboot2_parse(info, sizeof(info), &b), 0);
	ck_assert_str_eq(b.cmdline, "dom0_mem=512M console=com1");
	ck_assert_uint_eq(b.modules, 2);
	ck_assert_uint_eq(b.module[0].start.v, 0x300000);
	ck_assert_uint_eq(b.module[0].size, 0x200000);
	ck_assert_str_eq(b.module[0].cmdline, "vmlinux root=/dev/ram0");
	ck_assert_uint_eq(b.module[1].size, 1);
	ck_assert_uint_eq(b.regions, 2);
	ck_assert_uint_eq(b.map[0].size, 0x9fc00);
	ck_assert_uint_eq(b.map[1].start, 0x100000);
	ck_assert_uint_eq(b.rsdp_len, 36);
	ck_assert_uint_eq(b.efi_systab, 0x7ff00018);
}
END_TEST

/* Whatever is cut off: no access past the end (the sanitizers watch), and a plain answer. */
START_TEST(test_cut)
{
	usual();
	for (size_t n = 0; n < used; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, info, n);
		MUST(multiboot2_parse(copy, n, &b) == -EINVAL);
		if (n >= 8) {
			uint32_t total = (uint32_t)n;
			int rc;

			memcpy(copy, &total, sizeof(total));
			rc = multiboot2_parse(copy, n, &b);
			MUST(rc == 0 || rc == -EINVAL);
		}
		free(copy);
	}
}
END_TEST

START_TEST(test_broken)
{
	size_t at;

	module_tag(0x500000, 0x400000, "ends before it begins");
	finish();
	ck_assert_int_eq(multiboot2_parse(info, sizeof(info), &b), -EINVAL);
	setup();
	at = tag_begin(6);
	put32(8);                               /* entries too small */
	put32(0);
	tag_end(at);
	finish();
	ck_assert_int_eq(multiboot2_parse(info, sizeof(info), &b), -EINVAL);
	setup();
	put32(1), put32(4);                     /* a tag smaller than its own header */
	finish();
	ck_assert_int_eq(multiboot2_parse(info, sizeof(info), &b), -EINVAL);
	setup();
	put32(1), put32(0xfffffff0);
	finish();
	ck_assert_int_eq(multiboot2_parse(info, sizeof(info), &b), -EINVAL);
	setup();
	for (unsigned int i = 0; i <= BOOT_MODULES_MAX; i++) {
		module_tag(0x500000, 0x600000, "one too many");
	}
	finish();
	ck_assert_int_eq(multiboot2_parse(info, sizeof(info), &b), -E2BIG);
}
END_TEST

START_TEST(test_long_text)
{
	char text[2000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	text_tag(1, text);
	finish();
	ck_assert_int_eq(multiboot2_parse(info, sizeof(info), &b), 0);
	ck_assert_uint_eq(strlen(b.cmdline), sizeof(b.cmdline) - 1);
}
END_TEST

/* ---- multiboot1: memory from 1000h on is `memory` ---- */

#define BASE 0x1000u

static uint8_t memory[0x1000] __attribute__((aligned(8)));

static const void *find(void *ctx, uint64_t addr, size_t len)
{
	return addr >= BASE && addr + len <= BASE + sizeof(memory) ? memory + (addr - BASE) : NULL;
}

static void set32(unsigned int at, uint32_t v)
{
	memcpy(memory + at, &v, sizeof(v));
}

static void usual1(void)
{
	memset(memory, 0, sizeof(memory));
	set32(0, 1 | 4 | 8 | 64);               /* flags */
	set32(16, BASE + 0x100);                /* command line */
	set32(20, 2);                           /* modules */
	set32(24, BASE + 0x200);
	set32(44, 48);                          /* memory map */
	set32(48, BASE + 0x300);
	strcpy((char *)memory + 0x100, "a.elf loglevel=debug");
	set32(0x200, 0x300000), set32(0x204, 0x400000), set32(0x208, BASE + 0x400);
	set32(0x210, 0x400000), set32(0x214, 0x400000), set32(0x218, 0);
	strcpy((char *)memory + 0x400, "vmlinux");
	set32(0x300, 20), set32(0x304, 0), set32(0x30c, 0x9f000), set32(0x314, 1);
	set32(0x318, 20), set32(0x31c, 0x100000), set32(0x324, 0x1ff00000), set32(0x32c, 1);
}

START_TEST(test_mb1)
{
	usual1();
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), 0);
	ck_assert_str_eq(b.cmdline, "a.elf loglevel=debug");
	ck_assert_uint_eq(b.modules, 2);
	ck_assert_str_eq(b.module[0].cmdline, "vmlinux");
	ck_assert_uint_eq(b.module[1].size, 0);
	ck_assert_uint_eq(b.regions, 2);
	ck_assert_uint_eq(b.map[1].size, 0x1ff00000);
	/* Without a map: the two old numbers. */
	set32(0, 1);
	set32(4, 639), set32(8, 64 << 10);
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), 0);
	ck_assert_uint_eq(b.regions, 2);
	ck_assert_uint_eq(b.map[1].size, 64 << 20);
}
END_TEST

START_TEST(test_mb1_broken)
{
	usual1();
	ck_assert_int_eq(multiboot1_parse(0, find, NULL, &b), -EINVAL);
	set32(24, 0xfffffff8);                  /* module list outside */
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), -EINVAL);
	usual1();
	set32(0x204, 0x2fffff);
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), -EINVAL);
	usual1();
	set32(20, BOOT_MODULES_MAX + 1);
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), -E2BIG);
	usual1();
	set32(0x300, 3);                        /* an entry that would never end */
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), -EINVAL);
	usual1();
	set32(44, 0xffffffff);                  /* a map longer than memory */
	set32(0x318, 0xfffffff0);
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), 0);
	usual1();
	memset(memory + 0x100, 'x', sizeof(memory) - 0x100);
	set32(0, 4);                            /* an endless command line */
	ck_assert_int_eq(multiboot1_parse(BASE, find, NULL, &b), 0);
	ck_assert_uint_eq(strlen(b.cmdline), sizeof(b.cmdline) - 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_usual, test_cut, test_broken, test_long_text, test_mb1, test_mb1_broken,
					      NULL };

	return suite_run("multiboot", setup, tests);
}
