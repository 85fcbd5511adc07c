/* elf.c: images that are right, cut short, overflowing, hostile; notes of 4 and 8 bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fake/rnd.h"
#include "fake/suite.h"
#include "lib/elf.h"

#define PHDRS 0x40u
#define DATA  0x200u
#define SIZE  0x400u

/* Little-endian fields of an image at fixed offsets: the manual's, not the reader's structs. */
static uint8_t image[SIZE];

static void put(unsigned int at, uint64_t v, unsigned int size)
{
	memcpy(image + at, &v, size);
}

static void phdr(unsigned int i, uint32_t type, uint64_t offset, uint64_t paddr, uint64_t filesz, uint64_t memsz)
{
	unsigned int at = PHDRS + i * 56;

	put(at, type, 4);
	put(at + 4, 5, 4);
	put(at + 8, offset, 8);
	put(at + 16, paddr + 0xffffffff80000000ull, 8);
	put(at + 24, paddr, 8);
	put(at + 32, filesz, 8);
	put(at + 40, memsz, 8);
	put(at + 48, 0x1000, 8);
}

static unsigned int note(unsigned int at, const char *owner, uint32_t type, uint64_t value, unsigned int size)
{
	unsigned int namesz = (unsigned int)strlen(owner) + 1;

	put(at, namesz, 4);
	put(at + 4, size, 4);
	put(at + 8, type, 4);
	memcpy(image + at + 12, owner, namesz);
	at += 12 + (namesz + 3) / 4 * 4;
	put(at, value, size < 8 ? size : 8);
	return at + (size + 3) / 4 * 4;
}

static void setup(void)
{
	memset(image, 0, sizeof(image));
	memcpy(image, "\177ELF\2\1\1", 7);
	put(16, 2, 2);          /* executable */
	put(18, 62, 2);         /* x86-64 */
	put(20, 1, 4);
	put(32, PHDRS, 8);
	put(54, 56, 2);
	put(56, 3, 2);
	phdr(0, 1, DATA, 0x1000000, 0x100, 0x2000);
	phdr(1, 4, DATA + 0x100, 0x1000100, 0, 0);
	phdr(2, 1, DATA + 0x180, 0x2000000, 0x20, 0x20);
	for (unsigned int i = 0; i < 0x100; i++) {
		image[DATA + i] = (uint8_t)i;
	}
	unsigned int end = note(DATA + 0x100, "GNU", 1, 0x1122334455667788ull, 16);
	end = note(end, "Xen", 5, 0x8000000000000001ull, 8);
	end = note(end, "Xen", 18, 0x1000180, 4);
	end = note(end, "Xen", 6, 0x6e6574, 3);
	put(PHDRS + 56 + 32, end - DATA - 0x100, 8);
	put(PHDRS + 56 + 40, end - DATA - 0x100, 8);
}

struct seen {
	unsigned int calls, stop_at;
	uint64_t paddr[4], filesz[4], memsz[4];
	const uint8_t *src[4];
};

static int copy(void *arg, uint64_t paddr, const void *src, uint64_t filesz, uint64_t memsz)
{
	struct seen *s = arg;

	ck_assert_uint_le(filesz, memsz);
	ck_assert_uint_lt(s->calls, 4);
	s->paddr[s->calls] = paddr;
	s->src[s->calls] = src;
	s->filesz[s->calls] = filesz;
	s->memsz[s->calls] = memsz;
	return ++s->calls == s->stop_at ? -ENOSPC : 0;
}

static int load(uint64_t size)
{
	struct seen s = { 0 };

	return elf64_load(image, size, copy, &s);
}

START_TEST(test_load)
{
	struct seen s = { 0 };

	ck_assert_int_eq(elf64_load(image, SIZE, copy, &s), 0);
	ck_assert_uint_eq(s.calls, 2);
	ck_assert_uint_eq(s.paddr[0], 0x1000000);
	ck_assert_uint_eq(s.filesz[0], 0x100);
	ck_assert_uint_eq(s.memsz[0], 0x2000);
	ck_assert_ptr_eq(s.src[0], image + DATA);
	ck_assert_uint_eq(s.paddr[1], 0x2000000);
	ck_assert_ptr_eq(s.src[1], image + DATA + 0x180);
	/* What copy refuses ends it. */
	memset(&s, 0, sizeof(s));
	s.stop_at = 1;
	ck_assert_int_eq(elf64_load(image, SIZE, copy, &s), -ENOSPC);
	ck_assert_uint_eq(s.calls, 1);
	/* Segments of other types may say anything. */
	phdr(1, 0x6474e551, ~0ull, ~0ull, ~0ull, 0);
	ck_assert_int_eq(load(SIZE), 0);
	put(56, 0, 2);
	ck_assert_int_eq(load(SIZE), 0);
}
END_TEST

START_TEST(test_header)
{
	static const struct {
		unsigned int at;
		uint8_t value;
	} bad[] = { { 0, 0x7e }, { 1, 'e' }, { 3, 'G' }, { 4, 1 }, { 5, 2 }, { 18, 3 }, { 18, 183 }, { 54, 55 },
		    { 54, 64 }, { 54, 0 }, { 33, 4 }, { 39, 0x80 }, { 57, 1 }, { 57, 0xff } };

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t value;

		setup();
		image[bad[i].at] = bad[i].value;
		ck_assert_int_eq(load(SIZE), -ENOEXEC);
		ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 18, &value), -ENOEXEC);
	}
	setup();
	put(32, ~0ull - 100, 8);        /* the table's end wraps */
	ck_assert_int_eq(load(SIZE), -ENOEXEC);
}
END_TEST

/* Cut anywhere: never read past the end (ASan looks at a copy of the exact size). */
START_TEST(test_cut)
{
	for (uint64_t n = 0; n <= DATA + 0x1a0; n++) {
		uint8_t *cut = malloc(n != 0 ? n : 1);
		struct seen s = { 0 };
		uint64_t value;

		memcpy(cut, image, n);
		int rc = elf64_load(cut, n, copy, &s);
		MUST(rc == (n < DATA + 0x1a0 ? -ENOEXEC : 0));
		rc = elf64_note(cut, n, "Xen", 18, &value);
		MUST(rc == 0 ? value == 0x1000180 : rc == -ENOEXEC);
		free(cut);
	}
}
END_TEST

START_TEST(test_segments)
{
	phdr(0, 1, SIZE - 0x10, 0, 0x10, 0x10);
	ck_assert_int_eq(load(SIZE), 0);
	phdr(0, 1, SIZE - 0x10, 0, 0x11, 0x11);
	ck_assert_int_eq(load(SIZE), -ENOEXEC);
	phdr(0, 1, SIZE, 0x5000, 0, 0x1000);            /* only zeroes */
	ck_assert_int_eq(load(SIZE), 0);
	phdr(0, 1, SIZE + 1, 0x5000, 0, 0x1000);
	ck_assert_int_eq(load(SIZE), -ENOEXEC);
	phdr(0, 1, ~0ull, 0, 1, 1);                     /* offset + size wraps to 0 */
	ck_assert_int_eq(load(SIZE), -ENOEXEC);
	phdr(0, 1, 0x10, 0, ~0ull - 8, ~0ull);
	ck_assert_int_eq(load(SIZE), -ENOEXEC);
	phdr(0, 1, DATA, 0, 0x20, 0x1f);                /* larger in the file than in memory */
	ck_assert_int_eq(load(SIZE), -ENOEXEC);
	phdr(0, 1, DATA, ~0ull - 0xffe, 0x20, 0x1000);  /* physical end wraps */
	ck_assert_int_eq(load(SIZE), -ENOEXEC);
	phdr(0, 1, DATA, ~0ull - 0xfff, 0x20, 0xfff);
	ck_assert_int_eq(load(SIZE), 0);
}
END_TEST

START_TEST(test_notes)
{
	uint64_t value = 7;

	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 18, &value), 0);
	ck_assert_uint_eq(value, 0x1000180);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 5, &value), 0);
	ck_assert_uint_eq(value, 0x8000000000000001ull);
	/* Only numbers: neither a string nor a digest. */
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 6, &value), -ENOENT);
	ck_assert_int_eq(elf64_note(image, SIZE, "GNU", 1, &value), -ENOENT);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 1, &value), -ENOENT);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xe", 18, &value), -ENOENT);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen2", 18, &value), -ENOENT);
	ck_assert_int_eq(elf64_note(image, SIZE, "", 18, &value), -ENOENT);
	/* Two segments of notes: both are searched. */
	phdr(2, 4, DATA + 0x180, 0, 0, 0);
	unsigned int end = note(DATA + 0x180, "Ostler", 1, 0x1234, 4);
	put(PHDRS + 112 + 32, end - DATA - 0x180, 8);
	put(PHDRS + 112 + 40, end - DATA - 0x180, 8);
	ck_assert_int_eq(elf64_note(image, SIZE, "Ostler", 1, &value), 0);
	ck_assert_uint_eq(value, 0x1234);
	/* The last note's padding may be missing. */
	phdr(2, 4, DATA + 0x180, 0, 0, 0);
	end = note(DATA + 0x180, "Ostler", 1, 0x1234, 4);
	note(end, "X", 2, 0, 1);
	put(PHDRS + 112 + 32, end + 12 + 4 + 1 - DATA - 0x180, 8);
	put(PHDRS + 112 + 40, 0x200, 8);
	ck_assert_int_eq(elf64_note(image, SIZE, "Ostler", 7, &value), -ENOENT);
}
END_TEST

START_TEST(test_notes_broken)
{
	unsigned int at = DATA + 0x100;
	uint64_t value;

	put(at, 0xffffffff, 4);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 18, &value), -ENOEXEC);
	setup();
	put(at + 4, 0xffffffff, 4);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 18, &value), -ENOEXEC);
	setup();
	put(at, 0xfffffffd, 4);
	put(at + 4, 0xfffffffd, 4);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 18, &value), -ENOEXEC);
	/* A value that stands partly outside of its segment */
	setup();
	put(PHDRS + 56 + 32, 0x20 + 12 + 4 + 7, 8);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 5, &value), -ENOEXEC);
	put(PHDRS + 56 + 32, 0x20 + 12 + 4 + 8, 8);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 5, &value), 0);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 18, &value), -ENOENT);
	/* Room for no more than part of a header: the end. */
	put(PHDRS + 56 + 32, 11, 8);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 5, &value), -ENOENT);
}
END_TEST

/* A note segment with 8-byte alignment pads names and values to 8. */
START_TEST(test_notes_aligned_8)
{
	uint64_t value;

	phdr(1, 4, DATA + 0x100, 0, 0x48, 0x48);
	put(PHDRS + 56 + 48, 8, 8);
	memset(image + DATA + 0x100, 0, 0x48);
	/* name "GNU" ends at 16; value of 12 is padded to 16 */
	note(DATA + 0x100, "GNU", 5, 1, 12);
	note(DATA + 0x120, "Xen", 18, 0x4321, 4);
	ck_assert_int_eq(elf64_note(image, SIZE, "Xen", 18, &value), 0);
	ck_assert_uint_eq(value, 0x4321);
}
END_TEST

START_TEST(test_flipped)
{
	struct rnd r = { 7 };

	for (unsigned int i = 0; i < 100000; i++) {
		struct seen s = { 0 };
		uint64_t value;
		unsigned int at = (unsigned int)rnd_below(&r, 0xe8), kept = image[at];

		image[at] = (uint8_t)rnd_next(&r);
		int rc = elf64_load(image, SIZE, copy, &s);
		MUST(rc == 0 || rc == -ENOEXEC);
		rc = elf64_note(image, SIZE, "Xen", 18, &value);
		MUST(rc == 0 || rc == -ENOEXEC || rc == -ENOENT);
		image[at] = (uint8_t)kept;
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { test_load, test_header, test_cut, test_segments, test_notes,
		test_notes_broken, test_notes_aligned_8, test_flipped, NULL };

	return suite_run("elf", setup, tests);
}
