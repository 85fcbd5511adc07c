/* vioapic.c against the 82093AA data sheet: registers, edge and level pins, remote IRR. */
#include <string.h>
#include "dev/vioapic.h"
#include "fake/io.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct vioapic v;
static unsigned int sent;
static struct apic_msg last;

static void on_send(void *ctx, const struct apic_msg *msg)
{
	last = *msg;
	sent++;
}

static const struct vioapic_host host = { .send = on_send };

static enum io_result io(void *dev, struct io_access *a)
{
	return vioapic_mmio(dev, a);
}

static uint32_t rd(uint8_t reg)
{
	io_write(io, &v, VIOAPIC_BASE, 4, reg);
	return io_read(io, &v, VIOAPIC_BASE + 0x10, 4);
}

static void wr(uint8_t reg, uint32_t value)
{
	io_write(io, &v, VIOAPIC_BASE, 4, reg);
	io_write(io, &v, VIOAPIC_BASE + 0x10, 4, value);
}

static void setup(void)
{
	sent = 0;
	vioapic_init(&v, &host, 1);
}

START_TEST(test_registers)
{
	ck_assert_uint_eq(rd(0), 0x01000000);
	ck_assert_uint_eq(rd(1), 0x002f0020);
	wr(0, 0xffffffff);
	ck_assert_uint_eq(rd(0), 0x0f000000);
	ck_assert_uint_eq(rd(2), 0x0f000000);
	wr(1, 0);
	ck_assert_uint_eq(rd(1), 0x002f0020);
	for (unsigned int pin = 0; pin < 48; pin++) {
		ck_assert_uint_eq(rd(0x10 + 2 * pin), 0x00010000);
		ck_assert_uint_eq(rd(0x11 + 2 * pin), 0);
	}
	wr(0x6e, 0xffffffff);
	wr(0x6f, 0xffffffff);
	ck_assert_uint_eq(rd(0x6e), 0x0001afff);
	ck_assert_uint_eq(rd(0x6f), 0xff000000);
	ck_assert_uint_eq(rd(0x70), 0);
	wr(0x70, 0xffffffff);
	ck_assert_uint_eq(rd(0xff), 0);
	vioapic_reset(&v);
	ck_assert_uint_eq(rd(0), 0x01000000);
	ck_assert_uint_eq(rd(0x6e), 0x00010000);
}
END_TEST

START_TEST(test_edge)
{
	vioapic_set_pin(&v, 4, true);           /* masked: lost */
	vioapic_set_pin(&v, 4, false);
	wr(0x19, 0x03000000);
	wr(0x18, 0x00000834);
	ck_assert_uint_eq(sent, 0);
	vioapic_set_pin(&v, 4, true);
	vioapic_set_pin(&v, 4, true);
	ck_assert_uint_eq(sent, 1);
	ck_assert_uint_eq(last.vector, 0x34);
	ck_assert_uint_eq(last.dest, 3);
	ck_assert(last.logical && !last.level && !last.x2apic && last.assert);
	ck_assert_uint_eq(last.delivery, APIC_DM_FIXED);
	vioapic_set_pin(&v, 4, false);
	vioapic_set_pin(&v, 4, true);
	ck_assert_uint_eq(sent, 2);
	wr(0x18, 0x00000434);                   /* NMI */
	vioapic_set_pin(&v, 4, false);
	vioapic_set_pin(&v, 4, true);
	ck_assert_uint_eq(last.delivery, APIC_DM_NMI);
	vioapic_set_pin(&v, 48, true);
	vioapic_set_pin(&v, 4000, true);
	ck_assert_uint_eq(sent, 3);
}
END_TEST

START_TEST(test_level)
{
	wr(0x30, 0x0000a151);                   /* pin 16, level, active low, lowest priority */
	vioapic_set_pin(&v, 16, true);
	ck_assert_uint_eq(sent, 1);
	ck_assert(last.level);
	ck_assert_uint_eq(last.delivery, APIC_DM_LOWEST);
	ck_assert_uint_eq(rd(0x30), 0x0000e151);
	vioapic_set_pin(&v, 16, false);
	vioapic_set_pin(&v, 16, true);
	ck_assert_uint_eq(sent, 1);             /* not before the EOI */
	vioapic_eoi(&v, 0x52);
	ck_assert_uint_eq(sent, 1);
	vioapic_eoi(&v, 0x51);
	ck_assert_uint_eq(sent, 2);             /* still active */
	vioapic_set_pin(&v, 16, false);
	vioapic_eoi(&v, 0x51);
	ck_assert_uint_eq(sent, 2);
	ck_assert_uint_eq(rd(0x30), 0x0000a151);
	/* Two pins with one vector. */
	wr(0x32, 0x00008051);
	vioapic_set_pin(&v, 16, true);
	vioapic_set_pin(&v, 17, true);
	ck_assert_uint_eq(sent, 4);
	vioapic_eoi(&v, 0x51);
	ck_assert_uint_eq(sent, 6);
}
END_TEST

START_TEST(test_level_mask)
{
	wr(0x30, 0x00018051);
	vioapic_set_pin(&v, 16, true);
	ck_assert_uint_eq(sent, 0);
	wr(0x30, 0x00008051);
	ck_assert_uint_eq(sent, 1);
	wr(0x30, 0x00018051);
	ck_assert_uint_eq(rd(0x30), 0x0001c051);
	vioapic_eoi(&v, 0x51);
	ck_assert_uint_eq(rd(0x30), 0x00018051);
	wr(0x30, 0x00008051);
	ck_assert_uint_eq(sent, 2);
	/* A trip to edge mode ends the interrupt, back in level mode it comes again. */
	wr(0x30, 0x00010051);
	ck_assert_uint_eq(rd(0x30), 0x00010051);
	wr(0x30, 0x00008051);
	ck_assert_uint_eq(sent, 3);
	/* The EOI register does what the broadcast does. */
	io_write(io, &v, VIOAPIC_BASE + 0x40, 4, 0x51);
	ck_assert_uint_eq(sent, 4);
}
END_TEST

START_TEST(test_extint)
{
	struct apic_msg msg;

	ck_assert(!vioapic_extint(&v, &msg));
	wr(0x11, 0x02000000);
	wr(0x10, 0x00000700);
	ck_assert(vioapic_extint(&v, &msg));
	ck_assert_uint_eq(msg.dest, 2);
	ck_assert(!msg.logical);
	vioapic_set_pin(&v, 0, true);
	ck_assert_uint_eq(sent, 0);
	wr(0x10, 0x00010700);
	ck_assert(!vioapic_extint(&v, &msg));
}
END_TEST

START_TEST(test_sizes)
{
	io_write(io, &v, VIOAPIC_BASE, 1, 0x01);
	ck_assert_uint_eq(io_read(io, &v, VIOAPIC_BASE, 4), 1);
	ck_assert_uint_eq(io_read(io, &v, VIOAPIC_BASE + 0x12, 1), 0x2f);
	ck_assert_uint_eq(io_read(io, &v, VIOAPIC_BASE + 0x10, 8), 0x002f0020);
	ck_assert_uint_eq(io_read(io, &v, VIOAPIC_BASE + 0x20, 4), 0);
	io_write(io, &v, VIOAPIC_BASE, 4, 0x10);
	io_write(io, &v, VIOAPIC_BASE + 0x10, 1, 0x77);
	ck_assert_uint_eq(rd(0x10), 0x10000);
	ck_assert_int_eq(io_result(io, &v, false, VIOAPIC_BASE + 0x100, 4, 0), IO_UNCLAIMED);
	ck_assert_int_eq(io_result(io, &v, false, VIOAPIC_BASE - 4, 4, 0), IO_UNCLAIMED);
}
END_TEST

START_TEST(test_random_accesses)
{
	struct rnd r = { 5 };

	for (unsigned int i = 0; i < 200000; i++) {
		switch (rnd_below(&r, 4)) {
		case 0:
			vioapic_set_pin(&v, rnd_below(&r, 50), rnd_below(&r, 2));
			break;
		case 1:
			vioapic_eoi(&v, rnd_next(&r));
			break;
		default:
			io_result(io, &v, rnd_below(&r, 2),
				  VIOAPIC_BASE + rnd_below(&r, rnd_below(&r, 2) ? 0x14 : 0x102),
				  rnd_size(&r), rnd_next(&r) & 0x7f0000000000007full);
			break;
		}
	}
	for (unsigned int pin = 0; pin < 48; pin++) {
		if (!(v.rte[pin] & 1 << 15)) {
			ck_assert(!(v.rte[pin] & 1 << 14));
		}
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_registers, test_edge, test_level, test_level_mask, test_extint, test_sizes,
		test_random_accesses, NULL
	};

	return suite_run("vioapic", setup, tests);
}
