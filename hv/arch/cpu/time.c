/*
 * The machine's time: nanoseconds from the TSC, and the wall clock from the CMOS clock. (Intel SDM, "Time-Stamp
 * Counter"; ACPI Specification, "Power Management Timer"; IA-PC HPET Specification; Intel 8254 data sheet.)
 *
 * The TSCs of all CPUs are taken to run together, as on every machine of this century that has an invariant TSC. The
 * scale is the one guests get (time_pv_scale), so their clocks and ours never part. Const after start-up, but
 * the wall clock (own lock).
 */
#include "arch/acpi.h"
#include "arch/cpu/time_init.h"
#include "arch/hw.h"
#include "arch/machine.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/spinlock.h"
#include "core/time.h"
#include "lib/calendar.h"
#include "lib/pvscale.h"
#include "lib/util.h"

#define PM_TIMER_HZ   3579545ull
#define PIT_HZ        1193182ull
#define MEASURE_MS    25
#define READ_TRIES    16

/* A free-running counter to measure the TSC against. */
struct reference {
	const char *name;
	uint64_t hz;
	uint64_t mask;                  /* it wraps there */
	uint64_t (*read)(void);
};

static uint64_t tsc_khz;
static uint64_t tsc_start;              /* TSC at time_now() == 0 */
static struct pvscale scale, inverse;   /* TSC -> ns; see pvscale.h */
static volatile uint8_t *hpet;

static struct spinlock wall_lock = SPINLOCK_INIT(LOCK_IRQ);
static uint64_t wall_ns;                /* [wall_lock] UTC in ns at time_now() == 0 */

static uint64_t read_pm_timer(void)
{
	return hw_in32(acpi_info.pm_timer_port);
}

static uint64_t read_hpet(void)
{
	return hw_mmio_read32(hpet + 0xf0);
}

/* Counter 2 counts down from 65536 and wraps; make it count up. */
static uint64_t read_pit(void)
{
	uint8_t lo;

	hw_out8(0x43, 0x80);            /* latch counter 2 */
	lo = hw_in8(0x42);
	return 0xffff - ((uint64_t)hw_in8(0x42) << 8 | lo);
}

/* The reference and the TSC as close together as possible: the try with the shortest read wins. */
static void read_pair(const struct reference *ref, uint64_t *count, uint64_t *tsc)
{
	uint64_t best = UINT64_MAX;

	for (unsigned int i = 0; i < READ_TRIES; i++) {
		uint64_t t0 = hw_rdtsc(), c = ref->read(), t1 = hw_rdtsc();

		if (t1 - t0 < best) {
			best = t1 - t0;
			*count = c;
			*tsc = t0 + (t1 - t0) / 2;
		}
	}
}

/* kHz of the TSC, 0 when the reference does not move. */
static uint64_t measure(const struct reference *ref)
{
	uint64_t c0, c1, t0, t1, ticks = 0, last, now, wanted = ref->hz * MEASURE_MS / 1000;

	read_pair(ref, &c0, &t0);
	last = c0;
	/* Follow it closely enough not to miss a wrap. */
	for (unsigned int spins = 0; ticks < wanted; spins++) {
		now = ref->read();
		ticks += (now - last) & ref->mask;
		if (now == last && spins > 10000000) {
			return 0;
		}
		last = now;
	}
	read_pair(ref, &c1, &t1);
	ticks += (c1 - last) & ref->mask;
	return mul_div_u64(t1 - t0, ref->hz, ticks * 1000);
}

/* CPUID leaf 15h, where the processor states it. */
static uint64_t stated_khz(void)
{
	struct hw_cpuid_regs r;

	hw_cpuid(0, 0, &r);
	if (r.eax < 0x15) {
		return 0;
	}
	hw_cpuid(0x15, 0, &r);
	return r.eax && r.ebx && r.ecx ? mul_div_u64(r.ecx, r.ebx, (uint64_t)r.eax * 1000) : 0;
}

static bool hpet_start(struct reference *ref)
{
	uint32_t period;

	hpet = acpi_info.hpet_addr ? machine_map_device(acpi_info.hpet_addr, 4096) : NULL;
	if (!hpet) {
		return false;
	}
	period = hw_mmio_read32(hpet + 4);      /* femtoseconds */
	if (period < 1000000 / 10 || period > 100000000) {
		return false;
	}
	hw_mmio_write32(hpet + 0x10, hw_mmio_read32(hpet + 0x10) | 1);
	ref->hz = 1000000000000000ull / period;
	return true;
}

static void pit_start(void)
{
	hw_out8(0x61, (uint8_t)((hw_in8(0x61) & ~2) | 1));      /* gate on, speaker off */
	hw_out8(0x43, 0xb4);                                    /* counter 2, both bytes, rate generator */
	hw_out8(0x42, 0);
	hw_out8(0x42, 0);
}

static uint64_t calibrate(const char **how)
{
	struct reference ref = { "PM timer", PM_TIMER_HZ, MASK(acpi_info.pm_timer_32bit ? 32 : 24), read_pm_timer };
	uint64_t khz = stated_khz();

	*how = "CPUID";
	if (khz) {
		return khz;
	}
	*how = ref.name;
	khz = acpi_info.pm_timer_port ? measure(&ref) : 0;
	if (khz) {
		return khz;
	}
	ref = (struct reference){ "HPET", 0, MASK(32), read_hpet };
	*how = ref.name;
	khz = hpet_start(&ref) ? measure(&ref) : 0;
	if (khz) {
		return khz;
	}
	ref = (struct reference){ "PIT", PIT_HZ, MASK(16), read_pit };
	*how = ref.name;
	pit_start();
	return measure(&ref);
}

static uint8_t cmos(uint8_t index)
{
	hw_out8(0x70, index);
	return hw_in8(0x71);
}

/* Seconds since 1970 from the CMOS clock: read until two readings agree and no update is under way. */
static uint64_t read_cmos_clock(void)
{
	static const uint8_t registers[6] = { 9, 8, 7, 4, 2, 0 };
	uint8_t now[6] = { 0 }, before[6];
	bool same = false;

	for (unsigned int try = 0; try < 1000 && !same; try++) {
		same = !(cmos(0x0a) & 0x80);
		for (unsigned int i = 0; i < 6; i++) {
			before[i] = now[i];
			now[i] = cmos(registers[i]);
			same = same && before[i] == now[i];
		}
	}
	return calendar_from_cmos(now, cmos(0x0b));
}

void time_init(void)
{
	const char *how;

	tsc_khz = calibrate(&how);
	if (tsc_khz < 1000) {
		panic("no clock to measure the TSC against");
	}
	scale = pvscale_make(tsc_khz * 1000, 1000000000);
	inverse = pvscale_make(1000000000, tsc_khz * 1000);
	tsc_start = hw_rdtsc();
	wall_ns = read_cmos_clock() * 1000000000;
	log_info("TSC: %lu.%03lu MHz by %s; wall clock %lu", tsc_khz / 1000, tsc_khz % 1000, how, wall_ns / 1000000000);
}

uint64_t time_now(void)
{
	return tsc_start ? time_tsc_to_ns(hw_rdtsc() - tsc_start) : 0;
}

uint64_t time_tsc_khz(void)
{
	return tsc_khz;
}

uint64_t time_tsc_to_ns(uint64_t delta)
{
	return pvscale_apply(&scale, delta);
}

uint64_t time_ns_to_tsc(uint64_t ns)
{
	return pvscale_apply(&inverse, ns);
}

uint64_t time_from_tsc(uint64_t tsc)
{
	return tsc > tsc_start ? time_tsc_to_ns(tsc - tsc_start) : 0;
}

uint64_t time_to_tsc(uint64_t ns)
{
	/* From now on, so that the rounding of the scale does not add up over days. */
	uint64_t tsc = hw_rdtsc(), now = time_from_tsc(tsc);

	return ns >= now ? tsc + time_ns_to_tsc(ns - now) : tsc - time_ns_to_tsc(now - ns);
}

void time_pv_scale(uint32_t *mul, int8_t *shift)
{
	*mul = scale.mul;
	*shift = scale.shift;
}

void time_wallclock(uint64_t *sec, uint32_t *nsec)
{
	uint64_t flags = spin_lock_irqsave(&wall_lock), ns = wall_ns;

	spin_unlock_irqrestore(&wall_lock, flags);
	*sec = ns / 1000000000;
	*nsec = (uint32_t)(ns % 1000000000);
}

void time_set_wallclock(uint64_t sec, uint32_t nsec, uint64_t at_ns)
{
	uint64_t flags = spin_lock_irqsave(&wall_lock);

	wall_ns = sec * 1000000000 + nsec - at_ns;
	spin_unlock_irqrestore(&wall_lock, flags);
}
