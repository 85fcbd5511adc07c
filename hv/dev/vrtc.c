/*
 * MC146818: time, alarm and flags as functions of the domain's clock.
 *
 * Manual: Motorola MC146818 data sheet, "Time, Calendar, and Alarm Locations", "Update Cycle",
 * "Registers". While the clock runs its registers are computed when read; while it is stopped (SET,
 * or divider held) reg[] holds what software writes, and starting it takes that over. Flags of
 * register C are brought up to date when somebody looks or when one of them may interrupt.
 *
 * Each event of an enabled interrupt makes a new edge even when register C was not read since: the
 * ACPI tables promise the guest that it need not.
 */
#include "lib/mem.h"
#include "lib/nospec.h"
#include "lib/util.h"
#include "dev/io8.h"
#include "dev/vrtc.h"

#define NS_PER_S     1000000000ll
#define TICK_HZ      32768u
#define DAY_S        86400
/* The chip's calendar: two digits of year, every fourth is a leap year; 00 is one. */
#define CYCLE_DAYS   1461               /* 1970..1973, with the leap day in the third year */
#define CENTURY_DAYS 36525              /* 1970..2069 */
/* The update takes 1984 us, and UIP announces it 244 us ahead. */
#define UIP_NS       2228000
#define GSI          8

enum {
	SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH,
	YEAR, REG_A, REG_B, REG_C, REG_D
};

#define A_UIP        0x80
#define A_DIVIDER    0x70
#define A_RUNNING    0x20
#define B_SET        0x80
#define B_UIE        0x10
#define B_SQWE       0x08
#define B_BINARY     0x04
#define B_24H        0x02
#define C_IRQF       0x80
#define C_PF         0x40
#define C_AF         0x20
#define C_UF         0x10
#define C_FLAGS      (C_PF | C_AF | C_UF)       /* the enables sit at the same bits of B */
#define D_VALID      0x80
#define HOUR_PM      0x80
#define DONT_CARE    0xc0

static const uint8_t month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

static uint64_t now_ns(const struct vrtc *v)
{
	return v->host->now_ns(v->host->ctx);
}

static bool divider_runs(const struct vrtc *v)
{
	return (v->reg[REG_A] & A_DIVIDER) == A_RUNNING;
}

static bool running(const struct vrtc *v)
{
	return divider_runs(v) && !(v->reg[REG_B] & B_SET);
}

static int64_t seconds_at(const struct vrtc *v, uint64_t ns)
{
	int64_t elapsed = (int64_t)ns - v->base_ns;

	return v->base_seconds + elapsed / NS_PER_S;
}

/* ---- Calendar ---- */

static uint8_t encode(const struct vrtc *v, unsigned int n)
{
	return v->reg[REG_B] & B_BINARY ? n : n / 10 << 4 | n % 10;
}

static unsigned int decode(const struct vrtc *v, uint8_t value)
{
	return v->reg[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 0xf);
}

static uint8_t encode_hour(const struct vrtc *v, unsigned int hour)
{
	if (v->reg[REG_B] & B_24H) {
		return encode(v, hour);
	}
	return encode(v, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned int decode_hour(const struct vrtc *v, uint8_t value)
{
	if (v->reg[REG_B] & B_24H) {
		return decode(v, value);
	}
	return decode(v, value & ~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

static unsigned int days_in(unsigned int month, bool leap)
{
	return month_days[month] + (month == 1 && leap);
}

/* Years since 1970 of a day since then, modulo 100; *rest: the day of that year. */
static unsigned int year_of(int64_t days, unsigned int *rest)
{
	unsigned int year = days % CENTURY_DAYS / CYCLE_DAYS * 4;

	*rest = days % CENTURY_DAYS % CYCLE_DAYS;
	while (*rest >= 365u + (year % 4 == 2)) {
		*rest -= 365 + (year % 4 == 2);
		year++;
	}
	return year;
}

/* Fill the date registers from days since 1970. */
static void render_date(const struct vrtc *v, int64_t days, uint8_t *reg)
{
	unsigned int rest, year = year_of(days, &rest), month = 0;
	bool leap = year % 4 == 2;

	while (rest >= days_in(month, leap)) {
		rest -= days_in(month, leap);
		month++;
	}
	reg[WEEKDAY] = encode(v, (days + 4 + v->weekday_shift) % 7 + 1);
	reg[DAY] = encode(v, rest + 1);
	reg[MONTH] = encode(v, month + 1);
	reg[YEAR] = encode(v, (1970 + year) % 100);
}

/* Fill the ten time registers (the alarm's excepted) as they are at a time. */
static void render(const struct vrtc *v, int64_t seconds, uint8_t *reg)
{
	unsigned int of_day = seconds % DAY_S;

	reg[SECONDS] = encode(v, of_day % 60);
	reg[MINUTES] = encode(v, of_day / 60 % 60);
	reg[HOURS] = encode_hour(v, of_day / 3600);
	render_date(v, seconds / DAY_S, reg);
}

/*
 * The century counts on with the years, but is a register of its own, as the two digits of the year
 * are: only what software makes it differ from the calendar's is kept.
 */
static unsigned int calendar_century(const struct vrtc *v)
{
	unsigned int rest;
	int64_t days = seconds_at(v, now_ns(v)) / DAY_S;

	return (1970 + year_of(days, &rest)) / 100 + (unsigned int)(days / CENTURY_DAYS);
}

static unsigned int century(const struct vrtc *v)
{
	return (calendar_century(v) + 100 + v->century_shift) % 100;
}

static void set_century(struct vrtc *v, unsigned int n)
{
	v->century_shift = (int8_t)((int)(n % 100) - (int)calendar_century(v));
}

/* Days since 1970 of the date registers. Nonsense gives some date, never a negative one. */
static int64_t parse_date(const struct vrtc *v, const uint8_t *reg)
{
	unsigned int year = (decode(v, reg[YEAR]) + 30) % 100;  /* since 1970 */
	unsigned int month = decode(v, reg[MONTH]), day = decode(v, reg[DAY]);
	int64_t days = year / 4 * CYCLE_DAYS + year % 4 * 365 + (year % 4 == 3);

	month = MIN(MAX(month, 1u), 12u) - 1;
	for (unsigned int i = 0; i < month; i++) {
		days += days_in(i, year % 4 == 2);
	}
	return days + MAX(day, 1u) - 1;
}

/* The registers become the clock's time, as of a moment phase_ns into that second. */
static void take_time(struct vrtc *v, const uint8_t *reg, int64_t phase_ns)
{
	int64_t days = parse_date(v, reg), would_be = seconds_at(v, now_ns(v));
	unsigned int kept = century(v);

	v->base_seconds = days * DAY_S + decode_hour(v, reg[HOURS]) * 3600 +
			  decode(v, reg[MINUTES]) * 60 + decode(v, reg[SECONDS]);
	v->base_ns = (int64_t)now_ns(v) - phase_ns;
	v->moved += v->base_seconds - would_be;
	set_century(v, kept);
	/* The day of week is a counter of its own. */
	v->weekday_shift = (decode(v, reg[WEEKDAY]) + 6 + 7 - (days + 4) % 7) % 7;
}

static int64_t phase_ns(const struct vrtc *v)
{
	return ((int64_t)now_ns(v) - v->base_ns) % NS_PER_S;
}

/* ---- Alarm ---- */

static bool alarm_matches(unsigned int n, uint8_t reg, unsigned int wanted)
{
	return (reg & DONT_CARE) == DONT_CARE || n == wanted;
}

/* The first second after a given one at which the alarm matches, or -1: never. */
static int64_t next_alarm(const struct vrtc *v, int64_t after)
{
	uint8_t rs = v->reg[SECONDS_ALARM], rm = v->reg[MINUTES_ALARM], rh = v->reg[HOURS_ALARM];
	unsigned int s = decode(v, rs), m = decode(v, rm), h = decode_hour(v, rh);
	int64_t t = after + 1;
	const int64_t end = t + DAY_S;

	while (t <= end) {
		unsigned int of_day = t % DAY_S;

		if (!alarm_matches(of_day / 3600, rh, h)) {
			t += 3600 - of_day % 3600;
		} else if (!alarm_matches(of_day / 60 % 60, rm, m)) {
			t += 60 - of_day % 60;
		} else if (!alarm_matches(of_day % 60, rs, s)) {
			t++;
		} else {
			return t;
		}
		/* A second that does not exist would have every minute of the day searched. */
		if ((rs & DONT_CARE) != DONT_CARE && s > 59) {
			break;
		}
	}
	return -1;
}

/* ---- Events ---- */

static uint64_t ns_to_ticks(uint64_t ns)
{
	return ns / NS_PER_S * TICK_HZ + ns % NS_PER_S * TICK_HZ / NS_PER_S;
}

static uint64_t ticks_to_ns(uint64_t ticks)
{
	return ticks / TICK_HZ * NS_PER_S + (ticks % TICK_HZ * NS_PER_S + TICK_HZ - 1) / TICK_HZ;
}

/* Period of the periodic flag in ticks of 32768 Hz; 0: none. */
static uint32_t period_ticks(const struct vrtc *v)
{
	unsigned int rate = v->reg[REG_A] & 0xf;

	if (rate == 0 || !divider_runs(v)) {
		return 0;
	}
	return 1u << (rate < 3 ? rate + 6 : rate - 1);
}

static bool waiting(const struct vrtc *v)
{
	return v->host->irq_waiting(v->host->ctx, GSI);
}

/* How many times the periodic event came between the last look and now. */
static uint64_t periods_since(const struct vrtc *v, uint64_t now)
{
	uint64_t period = period_ticks(v);

	if (period == 0) {
		return 0;
	}
	/* The lag is shorter than a period. */
	return (ns_to_ticks(now) + period - v->lag) / period -
	       (ns_to_ticks(v->last_ns) + period - v->lag) / period;
}

/* Flags of update and alarm whose event came between the last look and now. */
static uint8_t update_events(const struct vrtc *v, uint64_t now)
{
	int64_t before, after, alarm;

	if (!running(v)) {
		return 0;
	}
	before = seconds_at(v, v->last_ns);
	after = seconds_at(v, now);
	if (before == after) {
		return 0;
	}
	alarm = next_alarm(v, before);
	return C_UF | (alarm >= 0 && alarm <= after ? C_AF : 0);
}

static void restart_ticks(struct vrtc *v, uint64_t now)
{
	uint32_t period = period_ticks(v);

	if (vtick_restarts(&v->tick) && period != 0) {
		v->lag = ns_to_ticks(now) % period;
	}
}

/*
 * Bring register C up to now; returns the flags that shall interrupt: enabled, their event came
 * since the last time, and the periodic one's ticks are not held back.
 */
static uint8_t settle(struct vrtc *v)
{
	uint64_t now = now_ns(v), periods = periods_since(v, now);
	uint8_t events = update_events(v, now), interrupts = events & v->reg[REG_B];

	if (periods != 0) {
		events |= C_PF;
		if ((v->reg[REG_B] & C_PF) && vtick_due(&v->tick, periods, waiting(v))) {
			interrupts |= C_PF;
		}
		restart_ticks(v, now);
	}
	v->last_ns = now;
	v->reg[REG_C] |= events;
	if (v->reg[REG_C] & v->reg[REG_B] & C_FLAGS) {
		v->reg[REG_C] |= C_IRQF;
	}
	return interrupts;
}

static void edge(struct vrtc *v)
{
	v->reflagged = false;
	v->host->irq_set(v->host->ctx, GSI, false);
	v->host->irq_set(v->host->ctx, GSI, true);
}

static void settle_and_interrupt(struct vrtc *v)
{
	if (settle(v) != 0) {
		edge(v);
	}
}

/* A tick whose flag was read already gets its flag and its edge. */
static void repeat_tick(struct vrtc *v)
{
	v->reg[REG_C] |= C_PF | C_IRQF;
	edge(v);
}

static void forget_ticks(struct vrtc *v)
{
	vtick_forget(&v->tick);
	v->lag = 0;
}

/* Another rate: what is owed is the same time in other ticks. Some systems change it all the time. */
static void new_rate(struct vrtc *v, uint32_t old_period)
{
	uint32_t period = period_ticks(v);
	uint64_t owed = (uint64_t)v->tick.owed * old_period;

	forget_ticks(v);
	if (v->tick.policy == VTICK_CATCHUP && period != 0) {
		v->tick.owed = (uint32_t)MIN(owed / period, VTICK_OWED_MAX);
	}
}

static void set_timer(struct vrtc *v, unsigned int id, uint64_t deadline)
{
	if (v->deadline[id] != deadline) {
		v->deadline[id] = deadline;
		v->host->timer_set(v->host->ctx, id, deadline);
	}
}

static void arm(struct vrtc *v)
{
	uint64_t now = now_ns(v), period = period_ticks(v), periodic = 0, update = 0;
	int64_t wanted = -1;

	if (period != 0 && (v->reg[REG_B] & C_PF)) {
		periodic = (ns_to_ticks(now) + period - v->lag) / period * period + v->lag;
		periodic = ticks_to_ns(periodic);
	}
	if (running(v) && (v->reg[REG_B] & C_UF)) {
		wanted = seconds_at(v, now) + 1;
	} else if (running(v) && (v->reg[REG_B] & C_AF)) {
		wanted = next_alarm(v, seconds_at(v, now));
	}
	if (wanted >= 0) {
		update = v->base_ns + (wanted - v->base_seconds) * NS_PER_S;
	}
	set_timer(v, VRTC_TIMER_PERIODIC, periodic);
	set_timer(v, VRTC_TIMER_UPDATE, update);
}

void vrtc_timer(struct vrtc *v, unsigned int id)
{
	if (id < VRTC_TIMERS) {
		v->deadline[id] = 0;
	}
	settle_and_interrupt(v);
	arm(v);
}

void vrtc_taken(struct vrtc *v)
{
	settle_and_interrupt(v);
	if (vtick_taken(&v->tick, waiting(v))) {
		repeat_tick(v);
	}
	restart_ticks(v, now_ns(v));
	arm(v);
}

/* ---- Registers ---- */

static bool is_time(unsigned int i)
{
	return i == SECONDS || i == MINUTES || i == HOURS || (i >= WEEKDAY && i <= YEAR);
}

static uint8_t read_a(const struct vrtc *v)
{
	bool updating = running(v) && phase_ns(v) >= NS_PER_S - UIP_NS;

	return v->reg[REG_A] | (updating ? A_UIP : 0);
}

/*
 * The flags of a tick were read. One that came due with this very read has its own edge; and one whose
 * edge still waits for the processor has its flag then, or its handler would not know what for it was
 * called. That only once: some handlers read until nothing is left.
 */
static void keep_tick(struct vrtc *v, bool due)
{
	if (due) {
		repeat_tick(v);
	} else if (!v->reflagged && waiting(v)) {
		v->reflagged = true;
		v->reg[REG_C] = C_PF | C_IRQF;
	}
}

/* Reading acknowledges every flag and lowers the wire. */
static uint8_t read_c(struct vrtc *v)
{
	uint8_t value, interrupts = settle(v);

	value = v->reg[REG_C];
	v->reg[REG_C] = 0;
	v->host->irq_set(v->host->ctx, GSI, false);
	if (v->tick.policy == VTICK_CATCHUP && (value & v->reg[REG_B] & C_PF)) {
		keep_tick(v, interrupts & C_PF);
	}
	arm(v);
	return value;
}

static uint8_t read_register(struct vrtc *v, unsigned int i)
{
	uint8_t reg[VRTC_REGS];

	switch (i) {
	case REG_A:
		return read_a(v);
	case REG_C:
		return read_c(v);
	case REG_D:
		return D_VALID;
	case VRTC_CENTURY:
		return encode(v, century(v));
	default:
		break;
	}
	i = (unsigned int)nospec_index(i, VRTC_REGS);
	if (!is_time(i) || !running(v)) {
		return v->reg[i];
	}
	render(v, seconds_at(v, now_ns(v)), reg);
	return reg[i];
}

static void write_time(struct vrtc *v, unsigned int i, uint8_t value)
{
	if (running(v)) {
		/* Not allowed by the data sheet, but done: change one field of the running time. */
		uint8_t reg[VRTC_REGS];

		render(v, seconds_at(v, now_ns(v)), reg);
		reg[i] = value;
		take_time(v, reg, phase_ns(v));
	} else {
		v->reg[i] = value;
	}
}

/* Registers A and B start and stop the clock. */
static void write_control(struct vrtc *v, unsigned int i, uint8_t value)
{
	bool ran = running(v), divided = divider_runs(v);
	int64_t phase = phase_ns(v);

	if (i == REG_B && (value & B_SET)) {
		value &= ~B_UIE;
	}
	if (ran) {
		render(v, seconds_at(v, now_ns(v)), v->reg);
	}
	v->reg[i] = i == REG_A ? value & ~A_UIP : value;
	if (running(v) && !ran) {
		/* A divider just released makes the first update after half a second. */
		take_time(v, v->reg, divided ? phase : NS_PER_S / 2);
	}
}

static void write_register(struct vrtc *v, unsigned int i, uint8_t value)
{
	bool irqf;

	if (i == VRTC_CENTURY) {
		set_century(v, decode(v, value));
		return;
	}
	i = (unsigned int)nospec_index(i, VRTC_REGS);
	settle_and_interrupt(v);
	irqf = v->reg[REG_C] & C_IRQF;
	if (i == REG_A || i == REG_B) {
		uint32_t period = period_ticks(v);

		write_control(v, i, value);
		if (!(v->reg[REG_B] & C_PF)) {
			forget_ticks(v);
		} else if (period != period_ticks(v)) {
			new_rate(v, period);
		}
	} else if (is_time(i)) {
		write_time(v, i, value);
	} else if (i < REG_A) {
		v->reg[i] = value;
	}
	/* The clock may have moved: what lies between is no event. */
	v->last_ns = now_ns(v);
	if (!(v->reg[REG_C] & v->reg[REG_B] & C_FLAGS)) {
		v->reg[REG_C] &= ~C_IRQF;
		v->host->irq_set(v->host->ctx, GSI, false);
	} else if (!irqf) {
		/* A flag that waited for its enable. */
		v->reg[REG_C] |= C_IRQF;
		edge(v);
	}
	arm(v);
}

static bool claims(uint8_t index)
{
	return index < VRTC_REGS || index == VRTC_CENTURY;
}

static enum io_result byte_io(void *dev, uint64_t addr, bool write, uint8_t *value)
{
	struct vrtc *v = dev;

	if (addr == 0x70) {
		if (write) {
			v->index = *value & 0x7f;
			return claims(v->index) ? IO_DONE : IO_UNCLAIMED;
		}
		*value = 0xff;          /* write-only */
		return IO_DONE;
	}
	if (addr != 0x71 || !claims(v->index)) {
		return IO_UNCLAIMED;
	}
	if (write) {
		write_register(v, v->index, *value);
	} else {
		*value = read_register(v, v->index);
	}
	return IO_DONE;
}

enum io_result vrtc_io(struct vrtc *v, struct io_access *a)
{
	return io8_run(v, a, byte_io);
}

/* ---- Life ---- */

void vrtc_set_time(struct vrtc *v, int64_t unix_seconds, uint32_t ns)
{
	/* The chip knows no time before 1970, and sums with this must not overflow. */
	v->base_seconds = MIN(MAX(unix_seconds, 0), (int64_t)1 << 32);
	v->base_ns = -(int64_t)ns;
	v->moved = 0;
	v->weekday_shift = 0;
	v->century_shift = 0;
}

int64_t vrtc_get_time(const struct vrtc *v)
{
	return seconds_at(v, now_ns(v));
}

int64_t vrtc_moved(const struct vrtc *v)
{
	return v->moved;
}

void vrtc_reset(struct vrtc *v)
{
	v->reg[REG_B] &= ~(C_FLAGS | B_SQWE);
	v->reg[REG_C] = 0;
	forget_ticks(v);
	v->host->irq_set(v->host->ctx, GSI, false);
	arm(v);
}

void vrtc_init(struct vrtc *v, const struct vdev_host *host)
{
	memset(v, 0, sizeof(*v));
	v->host = host;
	v->reg[REG_A] = A_RUNNING | 6;
	v->reg[REG_B] = B_24H;
	v->reg[REG_D] = D_VALID;
}
