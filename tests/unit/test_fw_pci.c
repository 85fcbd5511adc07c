/* PCI set-up of the firmware, against a bus of made-up functions. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hvmloader/layout.h"
#include "hvmloader/pci.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* One function: its registers, and which bits of the base registers can be written. */
struct fake {
	bool present;
	uint8_t config[256];
	uint32_t mask[64]; /* by register / 4 */
	bool is_bar[64];
};

static struct fake fakes[256];
static struct pci_bus bus;
static unsigned int writes_while_decoding;

static uint32_t fake_read(void *ctx, uint8_t devfn, uint8_t reg, unsigned int size)
{
	uint32_t value = 0xffffffff;

	ck_assert_ptr_eq(ctx, fakes);
	ck_assert_uint_eq(reg % size, 0);
	if (fakes[devfn].present) {
		memcpy(&value, fakes[devfn].config + reg, size);
	}
	return size == 4 ? value : value & ((1u << size * 8) - 1);
}

static void fake_write(void *ctx, uint8_t devfn, uint8_t reg, unsigned int size, uint32_t value)
{
	struct fake *f = &fakes[devfn];

	ck_assert_ptr_eq(ctx, fakes);
	ck_assert(f->present);
	ck_assert_uint_eq(reg % size, 0);
	if (f->is_bar[reg / 4]) {
		uint32_t old;

		if (f->mask[reg / 4] == 0 && size != 4) {
			return; /* not a base register of this function after all */
		}
		ck_assert_uint_eq(size, 4);
		memcpy(&old, f->config + reg, 4);
		writes_while_decoding += (f->config[4] & 3) != 0;
		value = (value & f->mask[reg / 4]) | (old & ~f->mask[reg / 4]);
	}
	memcpy(f->config + reg, &value, size);
}

static const struct pci_ops ops = { fake_read, fake_write, fakes };

static struct fake *add(unsigned int dev, unsigned int fn, uint32_t id, uint16_t class, uint8_t pin)
{
	struct fake *f = &fakes[dev << 3 | fn];

	f->present = true;
	memcpy(f->config, &id, 4);
	memcpy(f->config + 0x0a, &class, 2);
	f->config[0x3d] = pin;
	f->config[4] = 3; /* decoding, as after a warm reset */
	for (unsigned int reg = 0x10; reg <= 0x30; reg += reg == 0x24 ? 12 : 4) {
		f->is_bar[reg / 4] = true; /* reads as 0 until add_bar() */
	}
	if (fn != 0) {
		fakes[dev << 3].config[0x0e] = 0x80;
	}
	return f;
}

static void add_bar(struct fake *f, uint8_t reg, uint64_t size, uint32_t type)
{
	uint32_t low = type & 1 ? 3 : 15;

	f->is_bar[reg / 4] = true;
	f->mask[reg / 4] = (uint32_t)~(size - 1) & ~low;
	memcpy(f->config + reg, &type, 4);
	if ((type & 7) == 4) {
		f->is_bar[reg / 4 + 1] = true;
		f->mask[reg / 4 + 1] = (uint32_t)(~(size - 1) >> 32);
	}
}

static void add_rom(struct fake *f, uint64_t size)
{
	f->is_bar[0x30 / 4] = true;
	f->mask[0x30 / 4] = ((uint32_t)~(size - 1) & 0xfffff800) | 1;
}

static uint32_t config32(unsigned int dev, unsigned int fn, uint8_t reg)
{
	uint32_t value;

	memcpy(&value, fakes[dev << 3 | fn].config + reg, 4);
	return value;
}

static uint64_t config64(unsigned int dev, unsigned int fn, uint8_t reg)
{
	return config32(dev, fn, reg) | (uint64_t)config32(dev, fn, (uint8_t)(reg + 4)) << 32;
}

static void setup(void)
{
	memset(fakes, 0, sizeof(fakes));
	writes_while_decoding = 0;
	add(0, 0, 0x12378086, 0x0600, 0);
	add(1, 0, 0x70008086, 0x0601, 0);
	add_bar(add(1, 1, 0x70108086, 0x0101, 0), 0x20, 16, 1);
	add_bar(add(1, 2, 0x70208086, 0x0c03, 4), 0x20, 32, 1);
	add(1, 3, 0x71138086, 0x0680, 1);
}

/* The functions of a stock guest, with the addresses that it is known to get. */
static void add_stock(void)
{
	struct fake *platform = add(2, 0, 0x00015853, 0xff80, 1), *vga;

	add_bar(platform, 0x10, 256, 1);
	add_bar(platform, 0x14, 16 * MIB, 8);
	vga = add(3, 0, 0x11111234, 0x0300, 0);
	add_bar(vga, 0x10, 16 * MIB, 8);
	add_bar(vga, 0x18, 4096, 0);
	add_rom(vga, 65536);
}

static struct pci_limits limits(uint64_t low, uint64_t high, bool relocate)
{
	return (struct pci_limits){ .low_ram_end = low, .high_ram_end = high,
				    .allow_relocate = relocate, .address_limit = 1ull << 40 };
}

static void run(struct pci_limits l)
{
	pci_scan(&bus, &ops);
	pci_place(&bus, &l);
	pci_commit(&bus, &ops);
	ck_assert_uint_eq(writes_while_decoding, 0);
}

START_TEST(test_stock_guest)
{
	add_stock();
	run(limits(0x5000000, 0, false));
	ck_assert_uint_eq(bus.functions, 7);
	ck_assert_uint_eq(bus.bars, 7);
	ck_assert_uint_eq(bus.unplaced, 0);
	ck_assert_uint_eq(config32(2, 0, 0x14), 0xf0000008);
	ck_assert_uint_eq(config32(3, 0, 0x10), 0xf1000008);
	ck_assert_uint_eq(config32(3, 0, 0x30), 0xf2000000);
	ck_assert_uint_eq(config32(3, 0, 0x18), 0xf2010000);
	ck_assert_uint_eq(config32(2, 0, 0x10), 0xc001);
	ck_assert_uint_eq(config32(1, 2, 0x20), 0xc101);
	ck_assert_uint_eq(config32(1, 1, 0x20), 0xc121);
	ck_assert_uint_eq(bus.mem_start, 0xf0000000);
	ck_assert_uint_eq(bus.high_start, bus.high_end);
	/* Decoding: bus master everywhere, the display adapter at its legacy ports too. */
	ck_assert_uint_eq(config32(2, 0, 4) & 7, 7);
	ck_assert_uint_eq(config32(3, 0, 4) & 7, 7);
	ck_assert_uint_eq(config32(1, 1, 4) & 7, 5);
	ck_assert_uint_eq(config32(0, 0, 4) & 7, 4);
}
END_TEST

START_TEST(test_chipset)
{
	run(limits(0x5000000, 0, false));
	ck_assert_uint_eq(config32(1, 0, 0x60), 0x050b0a05);
	ck_assert_uint_eq(config32(1, 1, 0x40), 0x80008000);
	ck_assert_uint_eq(config32(1, 3, 0x40), 0xb001);
	ck_assert_uint_eq(config32(1, 3, 0x80) & 0xff, 1);
	/* 01.2 INTD: link (4 - 1 + 1) & 3 = 0; 01.3 INTA: link 1. */
	ck_assert_uint_eq(config32(1, 2, 0x3c) & 0xff, 5);
	ck_assert_uint_eq(config32(1, 3, 0x3c) & 0xffff, 0x010a);
}
END_TEST

START_TEST(test_interrupts)
{
	static const uint8_t irq[] = { 5, 10, 11, 5 };

	for (unsigned int dev = 4; dev < 32; dev++) {
		add(dev, 0, 0x12345678, 0x0200, (uint8_t)(dev % 4 + 1));
	}
	run(limits(0x5000000, 0, false));
	for (unsigned int dev = 4; dev < 32; dev++) {
		ck_assert_uint_eq(config32(dev, 0, 0x3c) & 0xff, irq[(dev + dev % 4) & 3]);
	}
	ck_assert_uint_eq(pci_link(2 << 3, 1), 2);
}
END_TEST

/* 256 MiB of registers do not fit into F0000000-FBFFFFFF; nor do 512 MiB into E0000000. */
START_TEST(test_window_grows)
{
	add_bar(add(4, 0, 0x1, 0x0200, 1), 0x10, 256 * MIB, 0);
	run(limits(0xe0000000, 0, false));
	ck_assert_uint_eq(bus.mem_start, 0xe0000000);
	ck_assert_uint_eq(config32(4, 0, 0x10), 0xe0000000);
	ck_assert_uint_eq(bus.move_ram, 0);

	add_bar(&fakes[4 << 3], 0x14, 512 * MIB, 0);
	fakes[4 << 3].config[4] = 0;
	run(limits(0x80000000, 0, false));
	ck_assert_uint_eq(bus.mem_start, 0xc0000000);
	ck_assert_uint_eq(config32(4, 0, 0x14), 0xc0000000);
	ck_assert_uint_eq(config32(4, 0, 0x10), 0xe0000000);
}
END_TEST

START_TEST(test_ram_moves)
{
	struct fake *f = add(4, 0, 0x1, 0x0200, 1);

	add_bar(f, 0x10, 256 * MIB, 0);
	add_bar(f, 0x14, 2 * GIB, 4);
	run(limits(0xf0000000, GIB4 + GIB, true));
	ck_assert_uint_eq(bus.mem_start, 0xe0000000);
	ck_assert_uint_eq(bus.move_ram, 0x10000000);
	/* 2 GiB is above 4 GiB in any case, behind the RAM that moves there. */
	ck_assert_uint_eq(config64(4, 0, 0x14), (GIB4 + 2 * GIB) | 4);
	ck_assert_uint_eq(bus.high_start, GIB4 + 2 * GIB);
	ck_assert_uint_eq(bus.high_end, GIB4 + 4 * GIB);
}
END_TEST

/* RAM may not move and fills all up to F0000000: the 64-bit register goes up. */
START_TEST(test_wide_goes_up)
{
	struct fake *f = add(4, 0, 0x1, 0x0200, 1);

	add_bar(f, 0x10, 16 * MIB, 8);
	add_bar(f, 0x14, 256 * MIB, 12);
	add_bar(f, 0x1c, 64 * MIB, 12);
	run(limits(0xf0000000, 0, false));
	ck_assert_uint_eq(bus.mem_start, 0xf0000000);
	ck_assert_uint_eq(config64(4, 0, 0x14), GIB4 | 12);
	ck_assert_uint_eq(config64(4, 0, 0x1c), 0xf000000c);
	ck_assert_uint_eq(config32(4, 0, 0x10), 0xf4000008);
	ck_assert_uint_eq(bus.unplaced, 0);
}
END_TEST

START_TEST(test_no_room)
{
	struct fake *f = add(4, 0, 0x1, 0x0200, 1);

	add_bar(f, 0x10, 256 * MIB, 0);
	add_bar(f, 0x14, 16, 1);
	run(limits(0xf0000000, 0, false));
	ck_assert_uint_eq(bus.unplaced, 1);
	ck_assert_uint_eq(config32(4, 0, 0x10), 0);
	/* Not placed, not decoded; its ports still are. */
	ck_assert_uint_eq(config32(4, 0, 4) & 7, 5);
}
END_TEST

START_TEST(test_address_limit)
{
	struct pci_limits l = limits(0x80000000, 0, true);

	add_bar(add(4, 0, 0x1, 0x0200, 1), 0x10, 64 * GIB, 12);
	l.address_limit = 1ull << 36;
	run(l);
	ck_assert_uint_eq(bus.unplaced, 1);
	ck_assert_uint_eq(config32(4, 0, 4) & 3, 0);
}
END_TEST

START_TEST(test_hole_size)
{
	struct pci_limits l = limits(0x80000000, 0, true);

	l.hole_size = 2 * GIB;
	run(l);
	ck_assert_uint_eq(bus.mem_start, 0x80000000);
	l.hole_size = 3 * GIB; /* more than can be given: ignored */
	run(l);
	ck_assert_uint_eq(bus.mem_start, 0xf0000000);
}
END_TEST

/* Functions of a device without function 0, or without the multifunction bit, are not there. */
START_TEST(test_enumeration)
{
	add(5, 0, 0x1, 0x0200, 0);
	add(5, 3, 0x2, 0x0200, 0);
	fakes[5 << 3].config[0x0e] = 0;
	add(6, 3, 0x2, 0x0200, 0);
	run(limits(0x5000000, 0, true));
	ck_assert_uint_eq(bus.functions, 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fw_pci");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_stock_guest);
	tcase_add_test(t, test_chipset);
	tcase_add_test(t, test_interrupts);
	tcase_add_test(t, test_window_grows);
	tcase_add_test(t, test_ram_moves);
	tcase_add_test(t, test_wide_goes_up);
	tcase_add_test(t, test_no_room);
	tcase_add_test(t, test_address_limit);
	tcase_add_test(t, test_hole_size);
	tcase_add_test(t, test_enumeration);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
