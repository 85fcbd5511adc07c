/*
 * HPET. Manual: IA-PC HPET (High Precision Event Timers) specification, "Register Model" and
 * "Theory of Operation".
 *
 * The main counter follows from the domain's clock. A timer remembers at which moment its
 * comparator matches next; a match that is found late (by the host's timer or by an access) is
 * one interrupt, and the next one keeps to the grid.
 */
#include "lib/mem.h"
#include "lib/nospec.h"
#include "lib/util.h"
#include "dev/vhpet.h"

/* 16 ns in femtoseconds; Intel, legacy replacement, 64 bits, timers 0..2, revision 1. */
#define CAPABILITIES     (16000000ull << 32 | 0x8086a201)

#define REG_CAPABILITIES 0x000
#define REG_CONFIG       0x010
#define REG_STATUS       0x020
#define REG_COUNTER      0x0f0
#define REG_TIMERS       0x100
#define TIMER_STRIDE     0x20
#define TIMER_CONFIG     0x00
#define TIMER_COMPARATOR 0x08
#define TIMER_FSB        0x10

#define CONFIG_ENABLE    BIT(0)
#define CONFIG_LEGACY    BIT(1)

#define TN_LEVEL         BIT(1)
#define TN_ENABLE        BIT(2)
#define TN_PERIODIC      BIT(3)
#define TN_PERIODIC_CAP  BIT(4)
#define TN_64BIT_CAP     BIT(5)
#define TN_SET_VALUE     BIT(6)
#define TN_32BIT         BIT(8)
#define TN_ROUTE_SHIFT   9
#define TN_ROUTE         (0x1full << TN_ROUTE_SHIFT)
#define TN_FSB           BIT(14)
#define TN_FSB_CAP       BIT(15)
#define TN_WRITABLE \
	(TN_LEVEL | TN_ENABLE | TN_PERIODIC | TN_SET_VALUE | TN_32BIT | TN_ROUTE | TN_FSB)
#define ROUTES           0x00f00000ull          /* I/O APIC inputs 20-23 */
#define TN_CAPABILITIES  (ROUTES << 32 | TN_PERIODIC_CAP | TN_64BIT_CAP | TN_FSB_CAP)

/* A comparator written this little too late (1 ms) matches at once instead of after a wrap. */
#define LATE_TICKS       62500u
/* Periods below 200 us are stretched: each one costs the host an interrupt, also while its guest does not run. */
#define MIN_PERIOD       12500u
/* Longer than this is never: no domain lives for 200 years. */
#define FAR_AWAY         (1ull << 58)

static uint64_t now_ticks(const struct vhpet *v)
{
	return v->host->now_ns(v->host->ctx) / VHPET_TICK_NS;
}

static bool running(const struct vhpet *v)
{
	return v->config & CONFIG_ENABLE;
}

bool vhpet_legacy(const struct vhpet *v)
{
	return running(v) && (v->config & CONFIG_LEGACY);
}

static uint64_t counter(const struct vhpet *v)
{
	return running(v) ? v->counter + (now_ticks(v) - v->start) : v->counter;
}

static uint64_t width_mask(const struct vhpet_timer *t)
{
	return t->config & TN_32BIT ? 0xffffffff : ~0ull;
}

static bool is_periodic(const struct vhpet_timer *t)
{
	return t->config & TN_PERIODIC;
}

/* ---- Interrupts ---- */

/* The GSI of a timer, or VHPET_NO_LINE when software chose none of those it may. */
static uint8_t route(const struct vhpet *v, unsigned int n)
{
	unsigned int gsi = (v->timer[n].config & TN_ROUTE) >> TN_ROUTE_SHIFT;

	if (vhpet_legacy(v) && n < 2) {
		return n == 0 ? 0 : 8;
	}
	return ROUTES >> gsi & 1 ? gsi : VHPET_NO_LINE;
}

/* A timer that sends messages drives no wire; legacy replacement passes over the setting. */
static bool sends_messages(const struct vhpet *v, unsigned int n)
{
	return (v->timer[n].config & TN_FSB) && !(vhpet_legacy(v) && n < 2);
}

static bool is_level(const struct vhpet *v, unsigned int n)
{
	return (v->timer[n].config & TN_LEVEL) && !sends_messages(v, n);
}

/* Make the timer's wire what status and configuration say. */
static void update_line(struct vhpet *v, unsigned int n)
{
	struct vhpet_timer *t = &v->timer[n];
	bool active = (v->status & BIT(n)) && (t->config & TN_ENABLE) && is_level(v, n);
	uint8_t line = active ? route(v, n) : VHPET_NO_LINE;

	if (line == t->line) {
		return;
	}
	if (t->line != VHPET_NO_LINE) {
		v->host->irq_set(v->host->ctx, t->line, false);
	}
	t->line = line;
	if (line != VHPET_NO_LINE) {
		v->host->irq_set(v->host->ctx, line, true);
	}
}

static void interrupt(struct vhpet *v, unsigned int n)
{
	const struct vhpet_timer *t = &v->timer[n];
	uint8_t line = route(v, n);

	if (!(t->config & TN_ENABLE)) {
		return;
	}
	if (sends_messages(v, n)) {
		v->host->msi_send(v->host->ctx, t->fsb >> 32, (uint32_t)t->fsb);
	} else if (is_level(v, n)) {
		v->status |= BIT(n);
		update_line(v, n);
	} else if (line != VHPET_NO_LINE) {
		v->host->irq_set(v->host->ctx, line, true);
		v->host->irq_set(v->host->ctx, line, false);
	}
}

/* Does the timer's interrupt before this one still wait to be taken? */
static bool waiting(const struct vhpet *v, unsigned int n)
{
	const struct vhpet_timer *t = &v->timer[n];
	uint8_t line = route(v, n);

	if (sends_messages(v, n)) {
		return v->host->msi_waiting(v->host->ctx, t->fsb >> 32, (uint32_t)t->fsb);
	}
	return line != VHPET_NO_LINE && v->host->irq_waiting(v->host->ctx, line);
}

/* ---- Matches ---- */

static void arm(struct vhpet *v, unsigned int n)
{
	const struct vhpet_timer *t = &v->timer[n];
	uint64_t deadline = 0;

	if (running(v) && (t->config & TN_ENABLE) && t->due != VHPET_NEVER) {
		deadline = MAX(t->due * VHPET_TICK_NS, 1u);
	}
	v->host->timer_set(v->host->ctx, n, deadline);
}

/*
 * Find the next match of a comparator as it stands; less than late ticks behind the counter is
 * "now".
 */
static void schedule(struct vhpet *v, unsigned int n, uint64_t late)
{
	struct vhpet_timer *t = &v->timer[n];
	uint64_t mask = width_mask(t), behind = (counter(v) - t->comparator) & mask;
	uint64_t ahead = 0;

	if (behind >= late) {
		/*
		 * 2^32 or 2^64 less what it is behind; the whole 2^64 does not fit and is never
		 * anyway.
		 */
		ahead = mask - behind;
		ahead += ahead != ~0ull;
	}
	t->due = ahead > FAR_AWAY ? VHPET_NEVER : now_ticks(v) + ahead;
}

/* The next tick is a whole period from now, wherever the comparator stands. */
static void restart_ticks(struct vhpet *v, unsigned int n)
{
	struct vhpet_timer *t = &v->timer[n];

	if (vtick_restarts(&t->tick) && t->due != VHPET_NEVER) {
		t->due = now_ticks(v) + t->period;
	}
}

/* A periodic timer's match was found: how many periods, and what is to be raised. */
static void settle_periodic(struct vhpet *v, unsigned int n, uint64_t now)
{
	struct vhpet_timer *t = &v->timer[n];
	uint64_t count = 1;

	if (t->period > FAR_AWAY) {
		t->comparator += t->period;
		t->due = VHPET_NEVER;
	} else {
		count += (now - t->due) / t->period;
		t->comparator += count * t->period;
		t->due += count * t->period;
	}
	t->comparator &= width_mask(t);
	if (!(t->config & TN_ENABLE)) {
		return;
	}
	if (is_level(v, n) || vtick_due(&t->tick, count, waiting(v, n))) {
		interrupt(v, n);
	}
	restart_ticks(v, n);
}

/* Do the matches that have come due; the comparator moves on past now. */
static void settle(struct vhpet *v, unsigned int n)
{
	struct vhpet_timer *t = &v->timer[n];
	uint64_t now = now_ticks(v);

	if (!running(v) || t->due == VHPET_NEVER || now < t->due) {
		return;
	}
	if (is_periodic(t) && t->period != 0) {
		settle_periodic(v, n, now);
		return;
	}
	if (t->config & TN_32BIT) {
		/* It matches again each time the low half comes round. */
		t->due += (((now - t->due) >> 32) + 1) << 32;
	} else {
		t->due = VHPET_NEVER;
	}
	interrupt(v, n);
}

void vhpet_timer(struct vhpet *v, unsigned int id)
{
	if (id < VHPET_TIMERS) {
		settle(v, id);
		arm(v, id);
	}
}

void vhpet_taken(struct vhpet *v)
{
	for (unsigned int n = 0; n < VHPET_TIMERS; n++) {
		struct vhpet_timer *t = &v->timer[n];

		if (t->tick.owed != 0) {
			if (vtick_taken(&t->tick, waiting(v, n))) {
				interrupt(v, n);
			}
			restart_ticks(v, n);
			arm(v, n);
		}
	}
}

bool vhpet_owes(const struct vhpet *v)
{
	return (v->timer[0].tick.owed | v->timer[1].tick.owed | v->timer[2].tick.owed) != 0;
}

void vhpet_set_policy(struct vhpet *v, enum vtick_policy policy)
{
	for (unsigned int n = 0; n < VHPET_TIMERS; n++) {
		v->timer[n].tick.policy = policy;
	}
}

/* ---- Registers ---- */

static uint64_t read_timer(struct vhpet *v, unsigned int n, unsigned int reg)
{
	struct vhpet_timer *t = &v->timer[n];

	switch (reg) {
	case TIMER_CONFIG:
		return t->config;
	case TIMER_COMPARATOR:
		settle(v, n);
		arm(v, n);
		return t->comparator;
	case TIMER_FSB:
		return t->fsb;
	default:
		return 0;
	}
}

static uint64_t read_register(struct vhpet *v, unsigned int reg)
{
	if (reg >= REG_TIMERS && reg < REG_TIMERS + VHPET_TIMERS * TIMER_STRIDE) {
		unsigned int n = (reg - REG_TIMERS) / TIMER_STRIDE;

		return read_timer(v, (unsigned int)nospec_index(n, VHPET_TIMERS), (reg - REG_TIMERS) % TIMER_STRIDE);
	}
	switch (reg) {
	case REG_CAPABILITIES:
		return CAPABILITIES;
	case REG_CONFIG:
		return v->config;
	case REG_STATUS:
		return v->status;
	case REG_COUNTER:
		return counter(v);
	default:
		return 0;
	}
}

static void write_config(struct vhpet *v, uint64_t value)
{
	bool ran = running(v), runs = value & CONFIG_ENABLE;

	v->counter = counter(v);
	v->start = now_ticks(v);
	v->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
	for (unsigned int n = 0; n < VHPET_TIMERS; n++) {
		vtick_forget(&v->timer[n].tick);
		if (!ran && runs) {
			schedule(v, n, 1);
		}
		arm(v, n);
		update_line(v, n);
	}
}

static void write_counter(struct vhpet *v, uint64_t value)
{
	v->counter = value;
	v->start = now_ticks(v);
	for (unsigned int n = 0; n < VHPET_TIMERS; n++) {
		schedule(v, n, 1);
		arm(v, n);
	}
}

static void write_timer_config(struct vhpet *v, unsigned int n, uint64_t value)
{
	struct vhpet_timer *t = &v->timer[n];
	uint64_t old = t->config, changed;

	value &= TN_WRITABLE;
	if (!(ROUTES >> ((value & TN_ROUTE) >> TN_ROUTE_SHIFT) & 1)) {
		/* A route that the timer does not have must not read back. */
		value &= ~TN_ROUTE;
	}
	if (!(value & TN_PERIODIC)) {
		value &= ~TN_SET_VALUE;
	}
	t->config = value | TN_CAPABILITIES;
	changed = old ^ t->config;
	if (changed & TN_32BIT) {
		t->comparator &= width_mask(t);
		t->period &= width_mask(t);
		t->period = t->period == 0 ? 0 : MAX(t->period, MIN_PERIOD);
	}
	if (changed & (TN_32BIT | TN_PERIODIC)) {
		schedule(v, n, 0);
	}
	if (!is_level(v, n)) {
		v->status &= ~BIT(n);
	}
	vtick_forget(&t->tick);
	update_line(v, n);
	arm(v, n);
}

/*
 * In periodic mode a plain write is the period; after "set value" it is the next match, and the
 * period too until a plain write says otherwise.
 */
static void write_comparator(struct vhpet *v, unsigned int n, uint64_t value, uint64_t mask)
{
	struct vhpet_timer *t = &v->timer[n];
	uint64_t period = ((t->period & ~mask) | (value & mask)) & width_mask(t);

	value &= width_mask(t);
	if (is_periodic(t)) {
		t->period = period == 0 ? 0 : MAX(period, MIN_PERIOD);
	}
	if (!is_periodic(t) || (t->config & TN_SET_VALUE)) {
		t->comparator = value;
		schedule(v, n, LATE_TICKS);
	}
	t->config &= ~TN_SET_VALUE;
	vtick_forget(&t->tick);
	settle(v, n);
	arm(v, n);
}

/* value has the register's new contents in the bits of mask, its old ones elsewhere. */
static void write_register(struct vhpet *v, unsigned int reg, uint64_t value, uint64_t mask)
{
	unsigned int n = (reg - REG_TIMERS) / TIMER_STRIDE;

	if (reg >= REG_TIMERS && n < VHPET_TIMERS) {
		n = (unsigned int)nospec_index(n, VHPET_TIMERS);
		if ((reg - REG_TIMERS) % TIMER_STRIDE == TIMER_CONFIG) {
			write_timer_config(v, n, value);
		} else if ((reg - REG_TIMERS) % TIMER_STRIDE == TIMER_COMPARATOR) {
			write_comparator(v, n, value, mask);
		} else if ((reg - REG_TIMERS) % TIMER_STRIDE == TIMER_FSB) {
			v->timer[n].fsb = value;
		}
		return;
	}
	switch (reg) {
	case REG_CONFIG:
		write_config(v, value);
		break;
	case REG_STATUS:
		v->status &= ~(value & mask);
		for (n = 0; n < VHPET_TIMERS; n++) {
			update_line(v, n);
		}
		break;
	case REG_COUNTER:
		write_counter(v, value);
		break;
	default:
		break;
	}
}

enum io_result vhpet_mmio(struct vhpet *v, struct io_access *a)
{
	uint64_t offset = a->addr - VHPET_BASE, mask = MASK(a->size * 8u), old;
	unsigned int reg = offset & ~7ull, shift = (offset & 7) * 8;

	if (offset >= VHPET_SIZE) {
		return IO_UNCLAIMED;
	}
	if (!a->write) {
		a->data = read_register(v, reg) >> shift & mask;
		return IO_DONE;
	}
	if (a->size < 4 || offset % a->size != 0) {
		return IO_DONE;
	}
	/* What came due under the old settings counts under them. */
	for (unsigned int n = 0; n < VHPET_TIMERS; n++) {
		settle(v, n);
	}
	old = read_register(v, reg);
	write_register(v, reg, (old & ~(mask << shift)) | (a->data & mask) << shift, mask << shift);
	return IO_DONE;
}

/* ---- Life ---- */

static void clear(struct vhpet *v)
{
	v->config = 0;
	v->status = 0;
	v->counter = 0;
	v->start = 0;
	for (unsigned int n = 0; n < VHPET_TIMERS; n++) {
		v->timer[n] = (struct vhpet_timer){ .config = TN_CAPABILITIES, .comparator = ~0ull,
						    .due = VHPET_NEVER, .line = VHPET_NO_LINE,
						    .tick.policy = v->timer[n].tick.policy };
	}
}

void vhpet_reset(struct vhpet *v)
{
	v->status = 0;
	for (unsigned int n = 0; n < VHPET_TIMERS; n++) {
		update_line(v, n);
		v->host->timer_set(v->host->ctx, n, 0);
	}
	clear(v);
}

void vhpet_init(struct vhpet *v, const struct vdev_host *host)
{
	memset(v, 0, sizeof(*v));
	v->host = host;
	clear(v);
}
