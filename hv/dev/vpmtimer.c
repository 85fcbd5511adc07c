/*
 * ACPI PM timer: 32 bits that count at 3.579545 MHz and never stop; PM1a event block.
 *
 * Manual: ACPI specification, "Power Management Timer", "PM1 Event Registers".
 */
#include "lib/err.h"
#include "lib/mem.h"
#include "dev/io8.h"
#include "dev/tickrate.h"
#include "dev/vpmtimer.h"

#define SCI_GSI      9
#define TIMER_OFFSET 8

#define STS_TIMER    (1u << 0)
#define STS_POWER    (1u << 8)
#define STS_SLEEP    (1u << 9)
#define STS_WAKE     (1u << 15)
/* Bits that software may enable: timer, global lock, both buttons, RTC. */
#define ENABLE_VALID 0x0721u

static uint64_t now_ns(const struct vpmtimer *v)
{
	return v->host->now_ns(v->host->ctx);
}

static uint64_t ns_to_ticks(uint64_t ns)
{
	return tick_count(ns, TICK_RATE(VPMTIMER_HZ));
}

static uint64_t ticks_to_ns(uint64_t ticks)
{
	return tick_time(ticks, VPMTIMER_HZ);
}

/* The timer's status bit sets whenever its highest bit (31) changes. */
static void settle(struct vpmtimer *v)
{
	uint64_t now = now_ns(v);

	if (ns_to_ticks(now) >> 31 != ns_to_ticks(v->last_ns) >> 31) {
		v->status |= STS_TIMER;
	}
	v->last_ns = now;
}

/* SCI follows status and enable; the wake-up bit causes none by itself. */
static void update(struct vpmtimer *v)
{
	bool sci = v->status & v->enable & ENABLE_VALID;
	uint64_t deadline = 0;

	if (v->enable & STS_TIMER) {
		deadline = ticks_to_ns(((ns_to_ticks(v->last_ns) >> 31) + 1) << 31);
	}
	v->host->timer_set(v->host->ctx, 0, deadline);
	if (sci != v->sci) {
		v->sci = sci;
		v->host->irq_set(v->host->ctx, SCI_GSI, sci);
	}
}

void vpmtimer_timer(struct vpmtimer *v, unsigned int id)
{
	settle(v);
	update(v);
}

static void set_status(struct vpmtimer *v, uint16_t bit)
{
	settle(v);
	v->status |= bit;
	update(v);
}

void vpmtimer_power_button(struct vpmtimer *v)
{
	set_status(v, STS_POWER);
}

void vpmtimer_sleep_button(struct vpmtimer *v)
{
	set_status(v, STS_SLEEP);
}

void vpmtimer_wake(struct vpmtimer *v)
{
	set_status(v, STS_WAKE);
}

static uint8_t read_byte(struct vpmtimer *v, unsigned int offset)
{
	uint16_t value = offset < 2 ? v->status : v->enable;

	if (offset >= TIMER_OFFSET) {
		return ns_to_ticks(now_ns(v)) >> ((offset - TIMER_OFFSET) * 8);
	}
	return value >> (offset % 2 * 8);
}

static void write_byte(struct vpmtimer *v, unsigned int offset, uint8_t value)
{
	unsigned int shift = offset % 2 * 8;

	if (offset < 2) {
		v->status &= ~(value << shift);
	} else if (offset < 4) {
		v->enable = ((v->enable & ~(0xffu << shift)) | value << shift) & ENABLE_VALID;
	}
	/* The timer cannot be written. */
	update(v);
}

static enum io_result byte_io(void *dev, uint64_t addr, bool write, uint8_t *value)
{
	struct vpmtimer *v = dev;
	uint64_t offset = addr - v->base;

	if (offset >= VPMTIMER_PORTS || (offset >= 4 && offset < TIMER_OFFSET)) {
		return IO_UNCLAIMED;
	}
	if (offset < 4) {
		settle(v);
	}
	if (write) {
		write_byte(v, offset, *value);
	} else {
		*value = read_byte(v, offset);
	}
	return IO_DONE;
}

enum io_result vpmtimer_io(struct vpmtimer *v, struct io_access *a)
{
	/* The usual access, and the one that must see one moment only. */
	if (!a->write && a->size == 4 && a->addr == (uint64_t)v->base + TIMER_OFFSET) {
		a->data = (uint32_t)ns_to_ticks(now_ns(v));
		return IO_DONE;
	}
	return io8_run(v, a, byte_io);
}

int vpmtimer_set_location(struct vpmtimer *v, uint64_t location)
{
	if (location > 1) {
		return -EINVAL;
	}
	v->base = location == 0 ? VPMTIMER_BASE_0 : VPMTIMER_BASE_1;
	return 0;
}

void vpmtimer_reset(struct vpmtimer *v)
{
	settle(v);
	v->status = 0;
	v->enable = 0;
	v->base = VPMTIMER_BASE_0;
	update(v);
}

void vpmtimer_init(struct vpmtimer *v, const struct vdev_host *host)
{
	memset(v, 0, sizeof(*v));
	v->host = host;
	v->base = VPMTIMER_BASE_0;
}
