/* irqline.c: the routing rules of the Xen HVM machine, wire-OR, links, legacy replacement. */
#include <errno.h>
#include "dev/irqline.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct vpic pic;
static struct vioapic ioapic;
static struct irqline l;

static void on_intr(void *ctx, bool level)
{
}

static void on_send(void *ctx, const struct apic_msg *msg)
{
}

static const struct vpic_host pic_host = { .intr = on_intr };
static const struct vioapic_host ioapic_host = { .send = on_send };

static void setup(void)
{
	vpic_init(&pic, &pic_host);
	vioapic_init(&ioapic, &ioapic_host, 1);
	irqline_init(&l, &pic, &ioapic);
}

static uint64_t pins(void)
{
	return ioapic.level;
}

static unsigned int isa(void)
{
	return pic.chip[0].level | pic.chip[1].level << 8;
}

START_TEST(test_isa)
{
	for (unsigned int i = 0; i < 16; i++) {
		if (i == 2) {
			continue;
		}
		ck_assert_int_eq(irqline_set_isa(&l, i, true), 0);
		ck_assert_int_eq(irqline_set_isa(&l, i, true), 0);
		ck_assert_uint_eq(isa(), 1u << i);
		ck_assert_uint_eq(pins(), 1ull << (i == 0 ? 2 : i));
		ck_assert_int_eq(irqline_set_isa(&l, i, false), 0);
		ck_assert_uint_eq(pins(), 0);
		ck_assert_uint_eq(isa(), 0);
	}
	ck_assert_int_eq(irqline_set_isa(&l, 2, true), -EINVAL);
	ck_assert_int_eq(irqline_set_isa(&l, 16, true), -EINVAL);
}
END_TEST

START_TEST(test_pci_routing)
{
	static const struct { uint8_t dev, intx, gsi; } rows[] = {
		{ 0, 0, 16 }, { 1, 3, 23 }, { 2, 0, 24 }, { 3, 0, 28 }, { 7, 3, 47 },
		{ 8, 0, 17 }, { 31, 3, 16 + ((124 + 3 + 3) & 31) },
	};

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(irqline_set_pci(&l, rows[i].dev, rows[i].intx, true), 0);
		ck_assert_uint_eq(pins(), 1ull << rows[i].gsi);
		irqline_set_pci(&l, rows[i].dev, rows[i].intx, false);
		ck_assert_uint_eq(pins(), 0);
	}
	ck_assert_int_eq(irqline_set_pci(&l, 32, 0, true), -EINVAL);
	ck_assert_int_eq(irqline_set_pci(&l, 0, 4, true), -EINVAL);
}
END_TEST

START_TEST(test_links)
{
	irqline_set_link(&l, 0, 5);
	irqline_set_link(&l, 2, 10);
	irqline_set_pci(&l, 2, 0, true);        /* link 2 */
	ck_assert_uint_eq(isa(), 1u << 10);
	ck_assert_uint_eq(pins(), 1ull << 24 | 1ull << 10);
	irqline_set_pci(&l, 1, 1, true);        /* link 2 as well */
	irqline_set_pci(&l, 2, 0, false);
	ck_assert_uint_eq(isa(), 1u << 10);
	irqline_set_link(&l, 2, 11);            /* the request moves along */
	ck_assert_uint_eq(isa(), 1u << 11);
	irqline_set_link(&l, 2, 0);
	ck_assert_uint_eq(isa(), 0);
	irqline_set_link(&l, 2, 5);
	irqline_set_pci(&l, 4, 0, true);        /* link 0: also ISA 5 */
	irqline_set_isa(&l, 5, true);
	irqline_set_pci(&l, 1, 1, false);
	irqline_set_isa(&l, 5, false);
	ck_assert_uint_eq(isa(), 1u << 5);
	irqline_set_pci(&l, 4, 0, false);
	ck_assert_uint_eq(isa(), 0);
	ck_assert_uint_eq(pins(), 0);
	ck_assert_int_eq(irqline_set_link(&l, 4, 5), -EINVAL);
	ck_assert_int_eq(irqline_set_link(&l, 0, 16), -EINVAL);
	ck_assert_int_eq(irqline_set_link(&l, 0, 2), -EINVAL);
}
END_TEST

START_TEST(test_sources)
{
	irqline_set(&l, IRQLINE_DM, 9, true);
	irqline_set(&l, IRQLINE_CHIP, 9, true);
	irqline_set(&l, IRQLINE_DM, 9, false);
	ck_assert_uint_eq(isa(), 1u << 9);
	irqline_set(&l, IRQLINE_CHIP, 9, false);
	ck_assert_uint_eq(isa(), 0);
	ck_assert_int_eq(irqline_set(&l, IRQLINE_CALLBACK, 47, true), 0);
	ck_assert_uint_eq(pins(), 1ull << 47);
	ck_assert_int_eq(irqline_set(&l, IRQLINE_CALLBACK, 48, true), -EINVAL);
	ck_assert_int_eq(irqline_set(&l, IRQLINE_SOURCES, 4, true), -EINVAL);
	ck_assert_int_eq(irqline_set_gsi(&l, 47, true), 0);
	irqline_set(&l, IRQLINE_CALLBACK, 47, false);
	ck_assert_uint_eq(pins(), 1ull << 47);
}
END_TEST

START_TEST(test_legacy_replacement)
{
	irqline_set(&l, IRQLINE_CHIP, 0, true);
	irqline_set(&l, IRQLINE_CHIP, 9, true);
	irqline_set_legacy_replacement(&l, true);
	ck_assert_uint_eq(isa(), 1u << 9);
	irqline_set(&l, IRQLINE_CHIP, 8, true);
	ck_assert_uint_eq(isa(), 1u << 9);
	irqline_set(&l, IRQLINE_HPET, 0, true);
	ck_assert_uint_eq(isa(), 1u << 9 | 1u);
	irqline_set(&l, IRQLINE_HPET, 0, false);
	irqline_set(&l, IRQLINE_CHIP, 0, false);
	irqline_set_legacy_replacement(&l, false);
	ck_assert_uint_eq(isa(), 1u << 9 | 1u << 8);
}
END_TEST

START_TEST(test_without_pic)
{
	irqline_init(&l, NULL, NULL);
	ck_assert_int_eq(irqline_set_isa(&l, 4, true), 0);
	ck_assert_int_eq(irqline_set_pci(&l, 4, 1, true), 0);
	ck_assert_uint_eq(pins(), 0);
}
END_TEST

/* However the wires were driven, driving all of them low leaves every count at zero. */
START_TEST(test_random_balance)
{
	struct rnd r = { 77 };

	for (unsigned int i = 0; i < 100000; i++) {
		bool level = rnd_below(&r, 2);

		switch (rnd_below(&r, 5)) {
		case 0:
			irqline_set_link(&l, rnd_below(&r, 5), rnd_below(&r, 17));
			break;
		case 1:
			irqline_set(&l, rnd_below(&r, 5), rnd_below(&r, 50), level);
			break;
		case 2:
			irqline_set_legacy_replacement(&l, level);
			break;
		default:
			irqline_set_pci(&l, rnd_below(&r, 33), rnd_below(&r, 5), level);
			break;
		}
	}
	for (unsigned int i = 0; i < 128; i++) {
		irqline_set_pci(&l, i / 4, i % 4, false);
	}
	for (unsigned int i = 0; i < IRQLINE_SOURCES * 48; i++) {
		irqline_set(&l, i / 48, i % 48, false);
	}
	for (unsigned int i = 0; i < 48; i++) {
		ck_assert_uint_eq(l.gsi_count[i], 0);
	}
	ck_assert_uint_eq(pins(), 0);
	ck_assert_uint_eq(isa(), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_isa, test_pci_routing, test_links, test_sources, test_legacy_replacement,
		test_without_pic, test_random_balance, NULL
	};

	return suite_run("irqline", setup, tests);
}
