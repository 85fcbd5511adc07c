/*
 * What becomes of timer ticks that a guest misses: four timers tick while interrupts are off half of the time, twenty
 * milliseconds each, a little more from time to time, so that pauses end at any point of a period. For each timer a
 * line with how many ticks came, how many were due, in how many pauses the second tick
 * after it came less than six tenths of a period after the first.
 * First the date. Who runs it knows the policy
 * and the offset of the clock, and judges (tests/sys/clocks.test).
 */
#include "tests/guest/rt/clock.h"

#define SECONDS   4u
#define PAUSE_PM  (PM_HZ / 50)
#define STEP_PM   (PM_HZ / 10000)
#define PIT_COUNT 2386u                         /* 500 Hz */
#define RTC_RATE  7u                            /* 512 Hz */
#define RTC_HZ    512u
#define HPET_TICK (HPET_HZ / 500)
#define LAPIC_TICK (LAPIC_HZ / 500)
enum { PIT, RTC, HPET_MSG, LAPIC_TIMER, TIMERS };
enum { VECTOR_HPET = 0x61, VECTOR_LAPIC = 0x71 };

static struct {
	const char *name;
	uint32_t period;                        /* in ticks of the ACPI timer */
	unsigned int count, close, since_pause;
	uint32_t last;
} timer[TIMERS] = {
	{ .name = "pit", .period = (uint32_t)((uint64_t)PIT_COUNT * PM_HZ / PIT_HZ) },
	{ .name = "rtc", .period = PM_HZ / RTC_HZ },
	{ .name = "hpet", .period = PM_HZ / 500 },
	{ .name = "lapic", .period = PM_HZ / 500 },
};

static void tick(unsigned int i)
{
	uint32_t now = pm_now();

	if (++timer[i].since_pause == 2) {
		timer[i].close += now - timer[i].last < timer[i].period / 10 * 6;
	}
	timer[i].last = now;
	timer[i].count++;
}

static void on_pit(struct rt_frame *frame)
{
	tick(PIT);
	outb(PIC_MASTER, 0x20);
}

static void on_rtc(struct rt_frame *frame)
{
	tick(RTC);
	clock_cmos(0x0c);
	outb(PIC_SLAVE, 0x20);
	outb(PIC_MASTER, 0x20);
}

static void on_hpet(struct rt_frame *frame)
{
	tick(HPET_MSG);
	mmio_write32(LAPIC + LAPIC_EOI, 0);
}

static void on_lapic(struct rt_frame *frame)
{
	tick(LAPIC_TIMER);
	mmio_write32(LAPIC + LAPIC_EOI, 0);
}

static void start(void)
{
	rt_set_handler(VECTOR_MASTER, on_pit);
	rt_set_handler(VECTOR_SLAVE, on_rtc);
	rt_set_handler(VECTOR_HPET, on_hpet);
	rt_set_handler(VECTOR_LAPIC, on_lapic);
	clock_pm_at_b000();
	clock_pic_on();
	clock_rtc_ticks(RTC_RATE);
	clock_pit_ticks(PIT_COUNT);
	clock_hpet_ticks(VECTOR_HPET, HPET_TICK);
	mmio_write32(LAPIC + LAPIC_DIVIDE, 0x0b);
	mmio_write32(LAPIC + LAPIC_LVT_TIMER, 0x20000 | VECTOR_LAPIC);
	mmio_write32(LAPIC + LAPIC_INITIAL, LAPIC_TICK);
}

/* What a user reads on the wall clock, once it does not change meanwhile. */
static void date(void)
{
	static const uint8_t registers[] = { 0x32, 9, 8, 7, 4, 2, 0 };
	uint8_t r[sizeof(registers)];

	do {
		while (clock_cmos(0x0a) & 0x80) {
		}
		for (unsigned int i = 0; i < sizeof(registers); i++) {
			r[i] = clock_cmos(registers[i]);
		}
	} while (clock_cmos(0) != r[6]);
	rt_printf("ticks: clock %02x%02x-%02x-%02x %02x:%02x:%02x\n", r[0], r[1], r[2], r[3], r[4], r[5], r[6]);
}

int guest_main(const struct hvm_start_info *info)
{
	uint32_t begin, round, passed, pause = 0;

	date();
	start();
	begin = pm_now();
	do {
		round = pm_now();
		while (pm_now() - round < PAUSE_PM + pause) {
		}
		rt_irq_on();
		while (pm_now() - round < 2 * PAUSE_PM + pause) {
		}
		rt_irq_off();
		for (unsigned int i = 0; i < TIMERS; i++) {
			timer[i].since_pause = 0;
		}
		pause = (pause + 7 * STEP_PM) % (20 * STEP_PM);
		passed = pm_now() - begin;
	} while (passed < SECONDS * PM_HZ);
	/* Everything that is still owed comes now, and then the timers are off. */
	round = pm_now();
	rt_irq_on();
	while (pm_now() - round < PAUSE_PM) {
	}
	rt_irq_off();
	passed = pm_now() - begin;
	for (unsigned int i = 0; i < TIMERS; i++) {
		rt_printf("ticks: %s came %u due %u close %u\n", timer[i].name, timer[i].count,
			  passed / timer[i].period, timer[i].close);
	}
	rt_puts("ticks: OK\n");
	return 0;
}
