/*
 * 8259A pair. Manual: Intel 8259A data sheet ("Programming the 8259A", "Priority ..."); ELCR as in
 * the 82371. 8085 mode and the buffered modes are not modelled: a PC never uses them.
 *
 * An edge stays latched when the wire falls before the acknowledge: a real 8259A then answers with
 * input 7, but a virtual CPU may be away longer than a device's pulse lasts.
 */
#include "lib/mem.h"
#include "lib/util.h"
#include "dev/io8.h"
#include "dev/vpic.h"

#define CASCADE        2
#define MASTER_ELCR    0xf8     /* IRQ 0, 1, 2 are always edge */
#define SLAVE_ELCR     0xde     /* IRQ 8, 13 are always edge */

#define ICW1_ICW4      0x01
#define ICW1_SINGLE    0x02
#define ICW1           0x10
#define ICW4_AUTO_EOI  0x02
#define ICW4_SFNM      0x10

#define OCW3           0x08
#define OCW3_READ_ISR  0x01
#define OCW3_READ      0x02
#define OCW3_POLL      0x04
#define OCW3_SMM       0x20
#define OCW3_SMM_SET   0x40

enum ocw2 {
	OCW2_ROTATE_AEOI_OFF, OCW2_EOI, OCW2_NOP, OCW2_SPECIFIC_EOI, OCW2_ROTATE_AEOI_ON,
	OCW2_ROTATE_EOI, OCW2_SET_PRIORITY, OCW2_ROTATE_SPECIFIC_EOI
};

/* Rank of the first input in mask, 0 is the highest priority; 8 when mask is empty. */
static unsigned int best_rank(const struct vpic_chip *c, uint8_t mask)
{
	for (unsigned int rank = 0; rank < 8; rank++) {
		if (mask >> ((c->lowest + 1 + rank) & 7) & 1) {
			return rank;
		}
	}
	return 8;
}

static unsigned int input_of(const struct vpic_chip *c, unsigned int rank)
{
	return (c->lowest + 1 + rank) & 7;
}

/* The input that may interrupt now, or -1. */
static int next_input(const struct vpic_chip *c)
{
	unsigned int request = best_rank(c, c->irr & ~c->imr), current;
	int input = input_of(c, request);

	if (request == 8 || c->init_state != 0) {
		return -1;
	}
	current = best_rank(c, c->special_mask ? c->isr & ~c->imr : c->isr);
	if (request < current) {
		return input;
	}
	/* Special fully nested: a second, more urgent request of the slave passes its first. */
	if (request == current && c->is_master && c->special_fully_nested && input == CASCADE) {
		return input;
	}
	return -1;
}

static void update(struct vpic *p)
{
	struct vpic_chip *master = &p->chip[0], *slave = &p->chip[1];
	bool before = master->intr;

	slave->intr = next_input(slave) >= 0;
	master->irr = (master->irr & ~(1u << CASCADE)) | (slave->intr << CASCADE);
	master->intr = next_input(master) >= 0;
	if (master->intr != before) {
		p->host->intr(p->host->ctx, master->intr);
	}
}

/* Acknowledge an input in its chip. */
static void take(struct vpic_chip *c, unsigned int input)
{
	uint8_t bit = 1u << input;

	if (!c->auto_eoi) {
		c->isr |= bit;
	} else if (c->rotate_on_aeoi) {
		c->lowest = input;
	}
	if (!(c->elcr & bit)) {
		c->irr &= ~bit;
	}
}

uint8_t vpic_ack(struct vpic *p)
{
	struct vpic_chip *master = &p->chip[0], *slave = &p->chip[1];
	int input = next_input(master);
	uint8_t vector;

	if (input < 0) {
		return master->irq_base + 7;
	}
	take(master, input);
	vector = master->irq_base + input;
	if (input == CASCADE) {
		input = next_input(slave);
		if (input >= 0) {
			take(slave, input);
		}
		vector = slave->irq_base + (input < 0 ? 7 : input);
	}
	update(p);
	return vector;
}

bool vpic_pending(const struct vpic *p)
{
	return p->chip[0].intr;
}

bool vpic_waiting(const struct vpic *p, unsigned int irq)
{
	const struct vpic_chip *c = &p->chip[irq >> 3 & 1];
	bool reaches = irq < 8 || !(p->chip[0].imr >> CASCADE & 1);

	return reaches && c->init_state == 0 && (c->irr & ~c->imr) >> (irq & 7) & 1;
}

void vpic_set_irq(struct vpic *p, unsigned int irq, bool level)
{
	struct vpic_chip *c;
	uint8_t bit = 1u << (irq & 7);

	if (irq > 15 || irq == CASCADE) {
		return;
	}
	c = &p->chip[irq >> 3];
	if (c->elcr & bit) {
		c->irr = level ? c->irr | bit : c->irr & ~bit;
	} else if (level && !(c->level & bit)) {
		c->irr |= bit;
	}
	c->level = level ? c->level | bit : c->level & ~bit;
	update(p);
}

static void write_icw1(struct vpic_chip *c, uint8_t value)
{
	c->icw1 = value;
	c->init_state = 2;
	c->imr = 0;
	c->isr = 0;
	c->irr &= c->elcr;      /* the edge latches are reset, levels are still there */
	c->lowest = 7;
	c->special_mask = 0;
	c->read_isr = 0;
	c->poll = 0;
	c->auto_eoi = 0;
	c->rotate_on_aeoi = 0;
	c->special_fully_nested = 0;
}

/* End of interrupt without a level: the highest priority in service, but not what SMM hides. */
static void end_highest(struct vpic_chip *c, bool rotate)
{
	unsigned int rank = best_rank(c, c->special_mask ? c->isr & ~c->imr : c->isr);
	unsigned int input = input_of(c, rank);

	if (rank == 8) {
		return;
	}
	c->isr &= ~(1u << input);
	if (rotate) {
		c->lowest = input;
	}
}

static void write_ocw2(struct vpic_chip *c, uint8_t value)
{
	unsigned int input = value & 7;

	switch ((enum ocw2)(value >> 5)) {
	case OCW2_ROTATE_AEOI_OFF:
		c->rotate_on_aeoi = 0;
		break;
	case OCW2_ROTATE_AEOI_ON:
		c->rotate_on_aeoi = 1;
		break;
	case OCW2_EOI:
		end_highest(c, false);
		break;
	case OCW2_ROTATE_EOI:
		end_highest(c, true);
		break;
	case OCW2_SPECIFIC_EOI:
		c->isr &= ~(1u << input);
		break;
	case OCW2_ROTATE_SPECIFIC_EOI:
		c->isr &= ~(1u << input);
		c->lowest = input;
		break;
	case OCW2_SET_PRIORITY:
		c->lowest = input;
		break;
	case OCW2_NOP:
		break;
	}
}

static void write_ocw3(struct vpic_chip *c, uint8_t value)
{
	if (value & OCW3_POLL) {
		c->poll = 1;
	}
	if (value & OCW3_READ) {
		c->read_isr = value & OCW3_READ_ISR;
	}
	if (value & OCW3_SMM_SET) {
		c->special_mask = (value & OCW3_SMM) != 0;
	}
}

static void write_command(struct vpic_chip *c, uint8_t value)
{
	if (value & ICW1) {
		write_icw1(c, value);
	} else if (value & OCW3) {
		write_ocw3(c, value);
	} else {
		write_ocw2(c, value);
	}
}

/*
 * ICW2, 3, 4 in turn, then OCW1. Which chip hangs on which input (ICW3) is wired, not programmed.
 */
static void write_data(struct vpic_chip *c, uint8_t value)
{
	switch (c->init_state) {
	case 0:
		c->imr = value;
		return;
	case 2:
		c->irq_base = value & 0xf8;
		if (!(c->icw1 & ICW1_SINGLE)) {
			c->init_state = 3;
			return;
		}
		break;
	case 4:
		c->auto_eoi = (value & ICW4_AUTO_EOI) != 0;
		c->special_fully_nested = (value & ICW4_SFNM) != 0;
		c->init_state = 0;
		return;
	default:
		break;
	}
	c->init_state = c->icw1 & ICW1_ICW4 ? 4 : 0;
}

/* A read after the poll command is an acknowledge cycle of this chip alone. */
static uint8_t read_poll(struct vpic_chip *c)
{
	int input = next_input(c);

	c->poll = 0;
	if (input < 0) {
		return 0;
	}
	take(c, input);
	return 0x80 | input;
}

static uint8_t read_chip(const struct vpic_chip *c, bool data)
{
	if (data) {
		return c->imr;
	}
	return c->read_isr ? c->isr : c->irr;
}

static void write_elcr(struct vpic_chip *c, uint8_t value)
{
	c->elcr = value & (c->is_master ? MASTER_ELCR : SLAVE_ELCR);
	c->irr = (c->irr & ~c->elcr) | (c->level & c->elcr);
}

/* The chip behind an address and which of its two ports; NULL: the ELCRs, or nothing. */
static inline struct vpic_chip *chip_at(struct vpic *p, uint64_t addr)
{
	return (addr & ~0x81ull) == 0x20 ? &p->chip[addr >> 7 & 1] : NULL;
}

static enum io_result write_byte(struct vpic *p, uint64_t addr, uint8_t value)
{
	struct vpic_chip *c = chip_at(p, addr);

	if (c != NULL && (addr & 1)) {
		write_data(c, value);
	} else if (c != NULL) {
		write_command(c, value);
	} else if ((addr & ~1ull) == 0x4d0) {
		write_elcr(&p->chip[addr & 1], value);
	} else {
		return IO_UNCLAIMED;
	}
	update(p);
	return IO_DONE;
}

static uint8_t poll(struct vpic *p, struct vpic_chip *c)
{
	uint8_t value = read_poll(c);

	update(p);
	return value;
}

static enum io_result byte_io(void *dev, uint64_t addr, bool write, uint8_t *value)
{
	struct vpic *p = dev;
	struct vpic_chip *c = chip_at(p, addr);

	if (write) {
		return write_byte(p, addr, *value);
	}
	if (c != NULL) {
		/* only a poll changes anything by reading */
		*value = c->poll ? poll(p, c) : read_chip(c, addr & 1);
	} else if ((addr & ~1ull) == 0x4d0) {
		*value = p->chip[addr & 1].elcr;
	} else {
		return IO_UNCLAIMED;
	}
	return IO_DONE;
}

enum io_result vpic_io(struct vpic *p, struct io_access *a)
{
	const struct vpic_chip *c = chip_at(p, a->addr);

	/* the usual read */
	if (c != NULL && a->size == 1 && !a->write && !c->poll) {
		a->data = read_chip(c, a->addr & 1);
		return IO_DONE;
	}
	return io8_run(p, a, byte_io);
}

void vpic_reset(struct vpic *p)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(p->chip); i++) {
		struct vpic_chip *c = &p->chip[i];
		uint8_t level = c->level, intr = c->intr;

		memset(c, 0, sizeof(*c));
		c->level = level;
		c->intr = intr;
		c->is_master = i == 0;
		c->lowest = 7;
		c->imr = 0xff;
	}
	update(p);
}

void vpic_init(struct vpic *p, const struct vpic_host *host)
{
	memset(p, 0, sizeof(*p));
	p->host = host;
	vpic_reset(p);
}
