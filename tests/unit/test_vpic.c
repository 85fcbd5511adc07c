/* vpic.c against the 8259A data sheet: initialisation, priorities, rotation, EOIs, poll, ELCR. */
#include <string.h>
#include "dev/vpic.h"
#include "fake/io.h"
#include "fake/rnd.h"
#include "fake/suite.h"

static struct vpic p;
static unsigned int intr_changes;
static bool intr_level;

static void on_intr(void *ctx, bool level)
{
	ck_assert(level != intr_level);
	intr_level = level;
	intr_changes++;
}

static const struct vpic_host host = { .intr = on_intr };

static enum io_result io(void *dev, struct io_access *a)
{
	return vpic_io(dev, a);
}

#define out(port, value) io_write(io, &p, (port), 1, (value))
#define in(port) io_read(io, &p, (port), 1)

static void pulse(unsigned int irq)
{
	vpic_set_irq(&p, irq, true);
	vpic_set_irq(&p, irq, false);
}

/* The PC's initialisation: vectors 08h and 70h, all open. */
static void setup_with(uint8_t icw4)
{
	intr_changes = 0;
	intr_level = false;
	vpic_init(&p, &host);
	out(0x20, 0x11);
	out(0x21, 0x08);
	out(0x21, 0x04);
	out(0x21, icw4);
	out(0xa0, 0x11);
	out(0xa1, 0x70);
	out(0xa1, 0x02);
	out(0xa1, 0x01);
	out(0x21, 0);
	out(0xa1, 0);
}

static void setup(void)
{
	setup_with(0x01);
}

START_TEST(test_vectors_and_cascade)
{
	pulse(0);
	ck_assert(vpic_pending(&p));
	ck_assert(intr_level);
	ck_assert_uint_eq(in(0x20), 0x01);
	ck_assert_uint_eq(vpic_ack(&p), 0x08);
	ck_assert_uint_eq(in(0x20), 0x00);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x01);
	ck_assert(!vpic_pending(&p));
	out(0x20, 0x20);
	ck_assert_uint_eq(in(0x20), 0x00);
	pulse(8);
	pulse(15);
	ck_assert_uint_eq(vpic_ack(&p), 0x70);
	ck_assert(!vpic_pending(&p));
	ck_assert_uint_eq(in(0x20), 0x04);
	out(0xa0, 0x20);
	ck_assert(!vpic_pending(&p));           /* the master still serves its input 2 */
	out(0x20, 0x20);
	ck_assert(vpic_pending(&p));
	ck_assert_uint_eq(vpic_ack(&p), 0x77);
}
END_TEST

START_TEST(test_fully_nested)
{
	pulse(5);
	ck_assert_uint_eq(vpic_ack(&p), 0x0d);
	pulse(6);
	pulse(5);
	ck_assert(!vpic_pending(&p));
	pulse(3);
	ck_assert_uint_eq(vpic_ack(&p), 0x0b);
	pulse(8);                               /* through 2: above 3 */
	ck_assert_uint_eq(vpic_ack(&p), 0x70);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x28);
	out(0x20, 0x65);                        /* specific EOI of 5 */
	ck_assert_uint_eq(in(0x20), 0x08);
	ck_assert(!vpic_pending(&p));
	out(0x20, 0x20);
	ck_assert_uint_eq(vpic_ack(&p), 0x0d);
	out(0x20, 0x20);
	ck_assert_uint_eq(vpic_ack(&p), 0x0e);
}
END_TEST

START_TEST(test_mask)
{
	out(0x21, 0x02);
	pulse(1);
	ck_assert(!vpic_pending(&p));
	ck_assert_uint_eq(in(0x20), 0x02);      /* IRR does not know the mask */
	ck_assert_uint_eq(in(0x21), 0x02);
	out(0x21, 0x00);
	ck_assert(vpic_pending(&p));
	ck_assert_uint_eq(vpic_ack(&p), 0x09);
}
END_TEST

START_TEST(test_rotation)
{
	/* Data sheet: IR4 and IR6 in service, rotate on non-specific EOI makes 4 the lowest. */
	pulse(6);
	vpic_ack(&p);
	pulse(4);
	vpic_ack(&p);
	out(0x20, 0xa0);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x40);
	pulse(4);
	pulse(5);
	ck_assert_uint_eq(vpic_ack(&p), 0x0d);  /* 5 is the highest now */
	out(0x20, 0x65);
	out(0x20, 0x66);
	pulse(0);
	ck_assert_uint_eq(vpic_ack(&p), 0x08);  /* order 5 6 7 0 1 2 3 4 */
	ck_assert(!vpic_pending(&p));
	out(0x20, 0x20);
	ck_assert_uint_eq(vpic_ack(&p), 0x0c);
	out(0x20, 0x64);
	/* Set priority: 2 lowest, so 3 highest. */
	out(0x20, 0xc2);
	pulse(0);
	pulse(3);
	ck_assert_uint_eq(vpic_ack(&p), 0x0b);
	/* Rotate on specific EOI. */
	out(0x20, 0xe3);
	pulse(3);
	ck_assert_uint_eq(vpic_ack(&p), 0x08);
	out(0x20, 0x20);
	ck_assert_uint_eq(vpic_ack(&p), 0x0b);
}
END_TEST

START_TEST(test_auto_eoi)
{
	setup_with(0x03);
	out(0x20, 0x80);                        /* rotate in automatic EOI mode */
	pulse(1);
	ck_assert_uint_eq(vpic_ack(&p), 0x09);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x00);
	pulse(0);
	pulse(3);
	ck_assert_uint_eq(vpic_ack(&p), 0x0b);
	ck_assert_uint_eq(vpic_ack(&p), 0x08);
	out(0x20, 0x00);                        /* off again: 0 stays the lowest */
	pulse(1);
	pulse(0);
	ck_assert_uint_eq(vpic_ack(&p), 0x09);
	pulse(1);
	ck_assert_uint_eq(vpic_ack(&p), 0x09);
}
END_TEST

START_TEST(test_special_mask)
{
	pulse(3);
	vpic_ack(&p);
	pulse(6);
	ck_assert(!vpic_pending(&p));
	out(0x21, 0x08);
	ck_assert(!vpic_pending(&p));
	out(0x20, 0x68);                        /* special mask mode on */
	ck_assert(vpic_pending(&p));
	ck_assert_uint_eq(vpic_ack(&p), 0x0e);
	out(0x20, 0x20);                        /* ends 6: the masked 3 is not seen */
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x08);
	out(0x20, 0x48);                        /* off */
	pulse(6);
	ck_assert(!vpic_pending(&p));
	out(0x20, 0x20);
	ck_assert(vpic_pending(&p));
}
END_TEST

START_TEST(test_special_fully_nested)
{
	setup_with(0x11);
	pulse(12);
	ck_assert_uint_eq(vpic_ack(&p), 0x74);
	pulse(13);
	pulse(3);
	ck_assert(!vpic_pending(&p));
	pulse(9);
	ck_assert(vpic_pending(&p));
	ck_assert_uint_eq(vpic_ack(&p), 0x71);
	setup();
	pulse(12);
	ck_assert_uint_eq(vpic_ack(&p), 0x74);
	pulse(9);
	ck_assert(!vpic_pending(&p));
}
END_TEST

START_TEST(test_spurious)
{
	ck_assert_uint_eq(vpic_ack(&p), 0x0f);
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0);
	/* A level input of the slave that goes away leaves nothing behind. */
	out(0x4d1, 0x02);
	vpic_set_irq(&p, 9, true);
	ck_assert(vpic_pending(&p));
	vpic_set_irq(&p, 9, false);
	ck_assert(!vpic_pending(&p));
}
END_TEST

START_TEST(test_edge_and_level)
{
	out(0x4d0, 0xff);
	out(0x4d1, 0xff);
	ck_assert_uint_eq(in(0x4d0), 0xf8);
	ck_assert_uint_eq(in(0x4d1), 0xde);
	vpic_set_irq(&p, 5, true);
	ck_assert_uint_eq(vpic_ack(&p), 0x0d);
	ck_assert_uint_eq(in(0x20), 0x20);
	out(0x20, 0x20);
	ck_assert(vpic_pending(&p));            /* still high */
	vpic_set_irq(&p, 5, false);
	ck_assert(!vpic_pending(&p));
	/* An edge counts once however long the wire stays up. */
	vpic_set_irq(&p, 1, true);
	vpic_set_irq(&p, 1, true);
	ck_assert_uint_eq(vpic_ack(&p), 0x09);
	out(0x20, 0x20);
	ck_assert(!vpic_pending(&p));
	vpic_set_irq(&p, 1, false);
	vpic_set_irq(&p, 1, true);
	ck_assert(vpic_pending(&p));
	/* ICW1 resets edge latches, not levels. */
	vpic_set_irq(&p, 5, true);
	out(0x20, 0x11);
	out(0x20, 0x0a);
	ck_assert_uint_eq(in(0x20), 0x20);
	/* Input 2 is the slave's. */
	vpic_set_irq(&p, 2, true);
	vpic_set_irq(&p, 16, true);
	ck_assert_uint_eq(in(0x20), 0x20);
}
END_TEST

START_TEST(test_poll)
{
	pulse(3);
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x20), 0x83);
	ck_assert(!vpic_pending(&p));
	out(0x20, 0x0b);
	ck_assert_uint_eq(in(0x20), 0x08);
	out(0x20, 0x0c);
	ck_assert_uint_eq(in(0x20), 0x00);
	ck_assert_uint_eq(in(0x20), 0x08);      /* one read only */
}
END_TEST

START_TEST(test_init_sequences)
{
	/* Single, no ICW4: only ICW2 follows. */
	out(0x20, 0x12);
	out(0x21, 0x27);
	out(0x21, 0xaa);
	ck_assert_uint_eq(in(0x21), 0xaa);
	out(0x21, 0x00);
	pulse(1);
	ck_assert_uint_eq(vpic_ack(&p), 0x21);
	/* Nothing is delivered in the middle of initialisation. */
	out(0x20, 0x11);
	pulse(1);
	ck_assert(!vpic_pending(&p));
	vpic_reset(&p);
	ck_assert_uint_eq(in(0x21), 0xff);
	ck_assert_uint_eq(in(0x4d0), 0);
}
END_TEST

START_TEST(test_sizes)
{
	io_write(io, &p, 0x20, 2, 0x3c0b);      /* OCW3 to 20h, OCW1 to 21h */
	ck_assert_uint_eq(in(0x21), 0x3c);
	ck_assert_uint_eq(io_read(io, &p, 0x20, 4), 0xffff3c00);
	ck_assert_int_eq(io_result(io, &p, false, 0x22, 1, 0), IO_UNCLAIMED);
}
END_TEST

START_TEST(test_random_accesses)
{
	static const uint16_t ports[] = { 0x1f, 0x20, 0x21, 0x9f, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	struct rnd r = { 99 };

	for (unsigned int i = 0; i < 200000; i++) {
		switch (rnd_below(&r, 4)) {
		case 0:
			vpic_set_irq(&p, rnd_below(&r, 18), rnd_below(&r, 2));
			break;
		case 1:
			vpic_ack(&p);
			break;
		default:
			io_result(io, &p, rnd_below(&r, 2), ports[rnd_below(&r, 8)], rnd_size(&r),
				  rnd_next(&r));
			break;
		}
		ck_assert(intr_level == vpic_pending(&p));
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_vectors_and_cascade, test_fully_nested, test_mask, test_rotation,
		test_auto_eoi, test_special_mask, test_special_fully_nested, test_spurious,
		test_edge_and_level, test_poll, test_init_sequences, test_sizes,
		test_random_accesses, NULL
	};

	return suite_run("vpic", setup, tests);
}
