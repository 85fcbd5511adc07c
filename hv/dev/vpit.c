/*
 * 8254: counters as functions of time. Manual: Intel 8254 data sheet, "Operational Description" and
 * "Mode Definitions".
 *
 * Nothing counts: a channel remembers the tick at which its count was loaded, and every read,
 * output and interrupt follows from the clock. So nothing drifts and an idle channel costs
 * nothing. As in the chip, a count written now enters the counter with the next clock tick.
 */
#include "lib/mem.h"
#include "lib/util.h"
#include "dev/io8.h"
#include "dev/tickrate.h"
#include "dev/vpit.h"

#define REFRESH_TICKS  18u              /* port 61h bit 4 toggles with the memory refresh, 15 us */
#define MIN_EDGE_TICKS 240u             /* interrupts come at most this often: 200 us */

#define LEAST_COUNT    12u              /* 10 us: with a faster one each look is one tick, not all that passed */

#define STATUS_OUT    0x80
#define STATUS_NULL   0x40
#define ACCESS_BOTH   3

/* Ticks begin above one longest period, so that a start computed backwards stays positive. */
#define TICK_BIAS     0x10000u

static uint64_t ns_to_ticks(uint64_t ns)
{
	return TICK_BIAS + tick_count(ns, TICK_RATE(VPIT_HZ));
}

/* The first nanosecond at which ns_to_ticks() gives ticks. */
static uint64_t ticks_to_ns(uint64_t ticks)
{
	return tick_time(ticks - TICK_BIAS, VPIT_HZ);
}

static uint64_t now_ticks(const struct vpit *p)
{
	return ns_to_ticks(p->host->now_ns(p->host->ctx));
}

/* ---- One channel as a function of time ---- */

static bool is_periodic(const struct vpit_channel *c)
{
	return c->mode == 2 || c->mode == 3;
}

static bool is_hardware_triggered(const struct vpit_channel *c)
{
	return c->mode == 1 || c->mode == 5;
}

static uint32_t high_ticks(uint32_t count)
{
	return (count + 1) / 2;
}

/* Has the count in force entered the counter, and how long ago? */
static bool counting(const struct vpit_channel *c, uint64_t now, uint64_t *elapsed)
{
	if (!c->loaded || (is_hardware_triggered(c) && !c->triggered)) {
		return false;
	}
	if (!c->gate && !is_hardware_triggered(c)) {
		*elapsed = c->held;
		return !is_periodic(c);
	}
	if (now < c->start) {
		return false;
	}
	*elapsed = now - c->start;
	return true;
}

/* Output of a square wave at a position in its period. */
static bool square_high(uint32_t count, uint64_t position)
{
	return position < high_ticks(count);
}

/* In modes 2 and 3 a new count waits for the end of the (half) period; then it is in force. */
static void settle(struct vpit_channel *c, uint64_t now)
{
	uint64_t position;

	if (c->next_count == 0 || !is_periodic(c) || !c->gate || now < c->next_tick) {
		return;
	}
	position = (c->next_tick - c->start) % c->count;
	c->count = c->next_count;
	c->next_count = 0;
	c->start = c->next_tick;
	if (c->mode == 3 && position != 0) {
		/* The low half comes first. */
		c->start -= high_ticks(c->count);
	}
}

static bool output(const struct vpit_channel *c, uint64_t now)
{
	uint64_t elapsed;

	if (!counting(c, now, &elapsed)) {
		return c->mode != 0;
	}
	switch (c->mode) {
	case 0:
	case 1:
		return elapsed >= c->count;
	case 2:
		return elapsed % c->count != c->count - 1;
	case 3:
		return square_high(c->count, elapsed % c->count);
	default:
		return elapsed != c->count;
	}
}

/* The counting element, in binary. */
static uint32_t counter(const struct vpit_channel *c, uint64_t now)
{
	uint32_t modulus = c->bcd ? 10000 : 65536;
	uint64_t elapsed, position;

	if (!counting(c, now, &elapsed)) {
		/* A gate that is low stops modes 2 and 3 where they are. */
		elapsed = c->loaded && is_periodic(c) && !c->gate ? c->held : 0;
		if (elapsed == 0) {
			return c->count % modulus;
		}
	}
	switch (c->mode) {
	case 2:
		return (c->count - elapsed % c->count) % modulus;
	case 3:
		position = elapsed % c->count;
		if (!square_high(c->count, position)) {
			position -= high_ticks(c->count);
		}
		return ((c->count & ~1u) - 2 * position) % modulus;
	default:
		/* Past zero it goes on from the highest number. */
		return (c->count % modulus + modulus - elapsed % modulus) % modulus;
	}
}

/* ---- Channel 0's interrupt ---- */

/* The first rising edge of the output after now; 0: none. */
static uint64_t next_edge(const struct vpit_channel *c, uint64_t now)
{
	uint64_t elapsed = now < c->start ? 0 : now - c->start;

	if (!c->loaded || !c->gate || is_hardware_triggered(c)) {
		return 0;
	}
	if (c->mode == 0) {
		return elapsed < c->count ? c->start + c->count : 0;
	}
	if (c->mode == 4) {
		return elapsed < c->count + 1 ? c->start + c->count + 1 : 0;
	}
	if (c->next_count != 0) {
		bool rises = (c->next_tick - c->start) % c->count == 0;

		return rises ? c->next_tick : c->next_tick + c->next_count / 2;
	}
	return c->start + (elapsed / c->count + 1) * c->count;
}

static bool too_fast(const struct vpit_channel *c)
{
	return is_periodic(c) && c->loaded && c->count < MIN_EDGE_TICKS;
}

/* Everything up to ticks is done. */
static void arm(struct vpit *p, uint64_t ticks)
{
	const struct vpit_channel *c = &p->channel[0];

	p->seen = ticks;
	/* Faster than the limit, several edges have one interrupt. */
	if (too_fast(c)) {
		ticks += MIN_EDGE_TICKS;
	}
	p->edge = next_edge(c, ticks - p->lag);
	p->edge += p->edge != 0 ? p->lag : 0;
	p->host->timer_set(p->host->ctx, 0, p->edge == 0 ? 0 : ticks_to_ns(p->edge));
}

static void raise(struct vpit *p)
{
	p->host->irq_set(p->host->ctx, 0, false);
	p->host->irq_set(p->host->ctx, 0, true);
}

static bool waiting(const struct vpit *p)
{
	return p->host->irq_waiting(p->host->ctx, 0);
}

/* How many edges came since the last look; at least the one that was waited for. */
static uint64_t edges_since(const struct vpit *p, uint64_t now)
{
	const struct vpit_channel *c = &p->channel[0];
	uint64_t origin = c->start + p->lag, before = p->seen > origin ? p->seen - origin : 0;

	if (c->count < LEAST_COUNT || now < origin) {
		return 1;
	}
	return MAX((now - origin) / c->count - before / c->count, 1u);
}

/* The output had its edge: is it an interrupt now? */
static bool tick_due(struct vpit *p, uint64_t now)
{
	const struct vpit_channel *c = &p->channel[0];

	if (!is_periodic(c)) {
		return true;
	}
	return vtick_due(&p->tick, edges_since(p, now), waiting(p));
}

static void restart_ticks(struct vpit *p, uint64_t now)
{
	const struct vpit_channel *c = &p->channel[0];

	if (vtick_restarts(&p->tick) && now > c->start) {
		p->lag = (now - c->start) % c->count;
	}
}

/* Interrupt for the edges up to now; then the next one may be armed. */
static void settle_edges(struct vpit *p, uint64_t now)
{
	settle(&p->channel[0], now);
	if (p->edge != 0 && now >= p->edge) {
		if (tick_due(p, now)) {
			raise(p);
		}
		restart_ticks(p, now);
	}
}

void vpit_timer(struct vpit *p, unsigned int id)
{
	uint64_t now = now_ticks(p);

	settle_edges(p, now);
	arm(p, now);
}

void vpit_taken(struct vpit *p)
{
	uint64_t now = now_ticks(p);

	settle_edges(p, now);
	if (vtick_taken(&p->tick, waiting(p))) {
		raise(p);
	}
	restart_ticks(p, now);
	arm(p, now);
}

/* Channel 0 was programmed: the interrupt wire follows the output as it is now. */
static void channel0_changed(struct vpit *p)
{
	uint64_t now = now_ticks(p);

	p->host->irq_set(p->host->ctx, 0, output(&p->channel[0], now));
	vtick_forget(&p->tick);
	p->lag = 0;
	arm(p, now);
}

/* ---- Programming ---- */

static uint32_t from_bcd(uint16_t value)
{
	return (value >> 12) * 1000u + (value >> 8 & 15) * 100u + (value >> 4 & 15) * 10u +
	       (value & 15);
}

static APART uint16_t to_bcd(uint32_t value)
{
	return value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
}

static void load(struct vpit_channel *c, uint16_t raw, uint64_t now)
{
	uint32_t count = c->bcd ? from_bcd(raw) : raw;
	uint64_t half, elapsed;

	if (count == 0) {
		count = c->bcd ? 10000 : 65536;
	}
	if (is_hardware_triggered(c)) {
		/* Waits for a trigger; the first one also counts as "a count is there". */
		c->next_count = count;
		if (!c->loaded) {
			c->count = count;
		}
		c->loaded = true;
		return;
	}
	if (!is_periodic(c) || !counting(c, now, &elapsed)) {
		c->count = count;
		c->next_count = 0;
		c->start = now + 1;
		c->held = 0;
		c->loaded = true;
		return;
	}
	c->next_count = count;
	c->next_tick = c->start + (elapsed / c->count + 1) * c->count;
	half = c->next_tick - c->count + high_ticks(c->count);
	if (c->mode == 3 && now < half) {
		c->next_tick = half;
	}
}

static void write_count(struct vpit *p, unsigned int i, uint8_t value)
{
	struct vpit_channel *c = &p->channel[i];
	uint64_t now = now_ticks(p);

	settle(c, now);
	if (c->access != ACCESS_BOTH) {
		load(c, c->access == 2 ? value << 8 : value, now);
	} else if (!c->write_high) {
		c->write_low = value;
		c->write_high = true;
		if (c->mode == 0) {
			/* The first byte stops the count and lowers the output. */
			c->loaded = false;
		}
	} else {
		c->write_high = false;
		load(c, value << 8 | c->write_low, now);
	}
	if (i == 0) {
		channel0_changed(p);
	}
}

static uint8_t status_of(const struct vpit_channel *c, uint64_t now)
{
	bool null = !c->loaded || c->next_count != 0 ||
		    (c->gate && !is_hardware_triggered(c) && now < c->start);

	return (output(c, now) ? STATUS_OUT : 0) | (null ? STATUS_NULL : 0) | c->access << 4 |
	       c->mode << 1 | c->bcd;
}

static void latch_count(struct vpit_channel *c, uint64_t now)
{
	uint32_t value;

	if (c->latched != 0) {
		return;
	}
	value = counter(c, now);
	c->latch = c->bcd ? to_bcd(value) : value;
	c->latched = c->access == ACCESS_BOTH ? 2 : 1;
	c->read_high = c->access == 2;
}

static void read_back(struct vpit *p, uint8_t value)
{
	uint64_t now = now_ticks(p);

	for (unsigned int i = 0; i < 3; i++) {
		struct vpit_channel *c = &p->channel[i];

		if (!(value >> (i + 1) & 1)) {
			continue;
		}
		settle(c, now);
		if (!(value & 0x20)) {
			latch_count(c, now);
		}
		if (!(value & 0x10) && !c->status_latched) {
			c->status = status_of(c, now);
			c->status_latched = true;
		}
	}
}

static void write_control(struct vpit *p, uint8_t value)
{
	unsigned int i = value >> 6, access = value >> 4 & 3, mode = value >> 1 & 7;
	struct vpit_channel *c;

	if (i == 3) {
		read_back(p, value);
		return;
	}
	c = &p->channel[i];
	if (access == 0) {
		settle(c, now_ticks(p));
		latch_count(c, now_ticks(p));
		return;
	}
	c->access = access;
	c->mode = mode > 5 ? mode & 3 : mode;
	c->bcd = value & 1;
	c->loaded = false;
	c->triggered = false;
	c->next_count = 0;
	c->write_high = false;
	c->read_high = access == 2;
	c->latched = 0;
	c->status_latched = false;
	if (i == 0) {
		channel0_changed(p);
	}
}

/* The count as software sees it: what was latched, or what it is now. */
static uint16_t visible_count(const struct vpit *p, struct vpit_channel *c)
{
	if (c->latched != 0) {
		c->latched--;
		return c->latch;
	}
	uint64_t now = now_ticks(p);
	if (c->next_count != 0) {
		settle(c, now);
	}
	uint32_t value = counter(c, now);
	return c->bcd ? to_bcd(value) : (uint16_t)value;
}

static uint8_t read_count(struct vpit *p, unsigned int i)
{
	struct vpit_channel *c = &p->channel[i];

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	uint16_t value = visible_count(p, c);
	bool high = c->read_high;
	if (c->access == ACCESS_BOTH) {
		c->read_high = !high;
	}
	return high ? value >> 8 : value;
}

/* ---- Port 61h ---- */

static void set_gate(struct vpit_channel *c, bool gate, uint64_t now)
{
	uint64_t elapsed;

	if (gate == c->gate) {
		return;
	}
	settle(c, now);
	if (!gate) {
		c->held = counting(c, now, &elapsed) ? elapsed : 0;
		c->gate = false;
		return;
	}
	c->gate = true;
	if (c->mode == 0 || c->mode == 4) {
		/* Goes on where it stopped. */
		c->start = now - c->held;
		return;
	}
	/* The rising edge triggers modes 1 and 5 and restarts 2 and 3, with the newest count. */
	if (c->next_count != 0) {
		c->count = c->next_count;
		c->next_count = 0;
	}
	c->triggered = c->loaded;
	c->start = now + 1;
}

static void write_port61(struct vpit *p, uint8_t value)
{
	p->port61 = value & 0x0f;
	set_gate(&p->channel[2], value & 1, now_ticks(p));
}

static uint8_t read_port61(struct vpit *p)
{
	uint64_t now = now_ticks(p);

	settle(&p->channel[2], now);
	return p->port61 | (now / REFRESH_TICKS & 1) << 4 | output(&p->channel[2], now) << 5;
}

static enum io_result write_byte(struct vpit *p, uint64_t addr, uint8_t value)
{
	switch (addr) {
	case 0x40:
	case 0x41:
	case 0x42:
		write_count(p, addr - 0x40, value);
		return IO_DONE;
	case 0x43:
		write_control(p, value);
		return IO_DONE;
	case 0x61:
		write_port61(p, value);
		return IO_DONE;
	default:
		return IO_UNCLAIMED;
	}
}

static enum io_result byte_io(void *dev, uint64_t addr, bool write, uint8_t *value)
{
	struct vpit *p = dev;

	if (write) {
		return write_byte(p, addr, *value);
	}
	if (addr - 0x40 < ARRAY_SIZE(p->channel)) {
		*value = read_count(p, addr & 3);
		return IO_DONE;
	}
	if (addr == 0x61) {
		*value = read_port61(p);
		return IO_DONE;
	}
	/* 43h is write-only: a read floats. */
	return addr == 0x43 ? IO_DONE : IO_UNCLAIMED;
}

enum io_result vpit_io(struct vpit *p, struct io_access *a)
{
	/* the usual read */
	if (a->size == 1 && !a->write && a->addr - 0x40 < ARRAY_SIZE(p->channel)) {
		a->data = read_count(p, a->addr & 3);
		return IO_DONE;
	}
	return io8_run(p, a, byte_io);
}

/* The chip has no reset; firmware programs it before use. Until then it is silent. */
static void clear(struct vpit *p)
{
	memset(p->channel, 0, sizeof(p->channel));
	for (unsigned int i = 0; i < 3; i++) {
		p->channel[i].mode = 3;
		p->channel[i].access = ACCESS_BOTH;
		p->channel[i].count = 65536;
		p->channel[i].gate = i != 2;
	}
	p->port61 = 0;
	p->edge = 0;
	p->lag = 0;
	vtick_forget(&p->tick);
}

void vpit_reset(struct vpit *p)
{
	clear(p);
	p->host->irq_set(p->host->ctx, 0, false);
	p->host->timer_set(p->host->ctx, 0, 0);
}

void vpit_init(struct vpit *p, const struct vdev_host *host)
{
	memset(p, 0, sizeof(*p));
	p->host = host;
	clear(p);
}
