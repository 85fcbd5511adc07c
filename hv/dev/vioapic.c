/*
 * I/O APIC. Manual: Intel 82093AA data sheet, "Register Description"; EOI register as in the
 * 82801's. Edges that arrive at a masked pin are lost, levels are looked at again on every write.
 */
#include "lib/mem.h"
#include "lib/nospec.h"
#include "lib/util.h"
#include "dev/vioapic.h"

#define REG_ID        0x00
#define REG_VERSION   0x01
#define REG_ARB       0x02
#define REG_RTE       0x10
#define VERSION_VALUE (0x20u | (VIOAPIC_PINS - 1) << 16)

#define RTE_REMOTE_IRR BIT(14)
#define RTE_LEVEL      BIT(15)
#define RTE_MASKED     BIT(16)
#define RTE_DELIVERY(r) ((r) >> 8 & 7)
/* Vector, delivery and destination mode, polarity, trigger, mask; destination. */
#define RTE_WRITABLE   0xff0000000001afffull

static void message_of(uint64_t rte, struct apic_msg *msg)
{
	memset(msg, 0, sizeof(*msg));
	msg->dest = rte >> 56;
	msg->vector = rte & 0xff;
	msg->delivery = RTE_DELIVERY(rte);
	msg->logical = rte >> 11 & 1;
	msg->assert = true;
}

/* Send the pin's message. A level pin then waits for the EOI; the other modes are always edges. */
static void deliver(struct vioapic *v, unsigned int pin)
{
	uint64_t rte = v->rte[pin];
	struct apic_msg msg;

	message_of(rte, &msg);
	switch (msg.delivery) {
	case APIC_DM_FIXED:
	case APIC_DM_LOWEST:
		msg.level = (rte & RTE_LEVEL) != 0;
		break;
	case APIC_DM_SMI:
	case APIC_DM_NMI:
	case APIC_DM_INIT:
		break;
	default:
		/* ExtINT is a wire, not a message (vioapic_extint()); the rest is reserved. */
		return;
	}
	if (msg.level) {
		v->rte[pin] |= RTE_REMOTE_IRR;
	}
	v->host->send(v->host->ctx, &msg);
}

/* A level pin whose wire is active and whose last message was acknowledged sends again. */
static void deliver_level(struct vioapic *v, unsigned int pin)
{
	uint64_t rte = v->rte[pin];

	if ((v->level & BIT(pin)) && (rte & RTE_LEVEL) && !(rte & (RTE_MASKED | RTE_REMOTE_IRR))) {
		deliver(v, pin);
	}
}

void vioapic_set_pin(struct vioapic *v, unsigned int pin, bool level)
{
	bool before;

	if (pin >= VIOAPIC_PINS) {
		return;
	}
	before = v->level & BIT(pin);
	v->level = level ? v->level | BIT(pin) : v->level & ~BIT(pin);
	if (!level || before) {
		return;
	}
	if (v->rte[pin] & RTE_LEVEL) {
		deliver_level(v, pin);
	} else if (!(v->rte[pin] & RTE_MASKED)) {
		deliver(v, pin);
	}
}

int vioapic_edge_vector(const struct vioapic *v, unsigned int pin)
{
	uint64_t rte = pin < VIOAPIC_PINS ? v->rte[pin] : RTE_MASKED;

	if ((rte & (RTE_MASKED | RTE_LEVEL)) ||
	    (RTE_DELIVERY(rte) != APIC_DM_FIXED && RTE_DELIVERY(rte) != APIC_DM_LOWEST)) {
		return -1;
	}
	return rte & 0xff;
}

void vioapic_eoi(struct vioapic *v, uint8_t vector)
{
	for (unsigned int pin = 0; pin < VIOAPIC_PINS; pin++) {
		if ((v->rte[pin] & 0xff) == vector && (v->rte[pin] & RTE_REMOTE_IRR)) {
			v->rte[pin] &= ~RTE_REMOTE_IRR;
			deliver_level(v, pin);
		}
	}
}

bool vioapic_extint(const struct vioapic *v, struct apic_msg *msg)
{
	uint64_t rte = v->rte[0];

	if ((rte & RTE_MASKED) || RTE_DELIVERY(rte) != APIC_DM_EXTINT) {
		return false;
	}
	message_of(rte, msg);
	return true;
}

static uint32_t read_register(const struct vioapic *v)
{
	unsigned int i = v->select;

	switch (i) {
	case REG_ID:
	case REG_ARB:
		return (uint32_t)v->id << 24;
	case REG_VERSION:
		return VERSION_VALUE;
	default:
		break;
	}
	if (i < REG_RTE || i >= REG_RTE + 2 * VIOAPIC_PINS) {
		return 0;
	}
	return v->rte[nospec_index((i - REG_RTE) / 2, VIOAPIC_PINS)] >> (i % 2 * 32);
}

static void write_rte(struct vioapic *v, unsigned int pin, uint64_t value, uint64_t half)
{
	uint64_t rte = v->rte[pin], writable = RTE_WRITABLE & half;

	rte = (rte & ~writable) | (value & writable);
	if (!(rte & RTE_LEVEL)) {
		/*
		 * Software without an EOI register ends a level interrupt by a trip to edge mode.
		 */
		rte &= ~RTE_REMOTE_IRR;
	}
	v->rte[pin] = rte;
	deliver_level(v, pin);
}

static void write_register(struct vioapic *v, uint32_t value)
{
	unsigned int i = v->select;

	if (i == REG_ID) {
		v->id = value >> 24 & 0xf;
	} else if (i >= REG_RTE && i < REG_RTE + 2 * VIOAPIC_PINS) {
		unsigned int pin = (unsigned int)nospec_index((i - REG_RTE) / 2, VIOAPIC_PINS);

		if (i % 2 == 0) {
			write_rte(v, pin, value, 0xffffffff);
		} else {
			write_rte(v, pin, (uint64_t)value << 32, 0xffffffff00000000ull);
		}
	}
}

static uint32_t mmio_read(const struct vioapic *v, unsigned int offset)
{
	switch (offset) {
	case 0x00:
		return v->select;
	case 0x10:
		return read_register(v);
	default:
		return 0;
	}
}

/* The window takes whole registers only; index and EOI are bytes at the bottom of theirs. */
static void mmio_write(struct vioapic *v, unsigned int offset, unsigned int size, uint64_t data)
{
	switch (offset) {
	case 0x00:
		v->select = data;
		break;
	case 0x10:
		if (size >= 4) {
			write_register(v, data);
		}
		break;
	case 0x40:
		vioapic_eoi(v, data);
		break;
	default:
		break;
	}
}

enum io_result vioapic_mmio(struct vioapic *v, struct io_access *a)
{
	uint64_t offset = a->addr - VIOAPIC_BASE;
	unsigned int byte = offset & 3;

	if (offset >= 0x100) {
		return IO_UNCLAIMED;
	}
	if (a->write) {
		mmio_write(v, offset, a->size, a->data);
	} else {
		a->data = (uint64_t)mmio_read(v, offset - byte) >> (byte * 8) & MASK(a->size * 8u);
	}
	return IO_DONE;
}

void vioapic_reset(struct vioapic *v)
{
	v->select = 0;
	v->id = v->reset_id;
	for (unsigned int pin = 0; pin < VIOAPIC_PINS; pin++) {
		v->rte[pin] = RTE_MASKED;
	}
}

void vioapic_init(struct vioapic *v, const struct vioapic_host *host, uint8_t id)
{
	memset(v, 0, sizeof(*v));
	v->host = host;
	v->reset_id = id & 0xf;
	vioapic_reset(v);
}
