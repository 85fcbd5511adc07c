/*
 * A guest that only uses CPU time, or none, in the way its command line says:
 *
 *   burn    never leaves the guest and never ends
 *   idle    sleeps with interrupts on and no timer: nothing of its own will ever wake it
 *   dirty=N writes into N MiB of its memory and ends
 *   clean=N looks whether N MiB of its memory are zero, which fresh memory is
 *   pulse   sleeps for 20 ms, a hundred times, and reports how late the interrupts came
 *   (none)  burns for a moment and ends
 */
#include "tests/guest/rt/rt.h"

#define APIC_BASE    0xfee00000u
#define APIC_EOI     (APIC_BASE + 0xb0)
#define APIC_SVR     (APIC_BASE + 0xf0)
#define APIC_TIMER   (APIC_BASE + 0x320)
#define APIC_INIT    (APIC_BASE + 0x380)
#define APIC_DIVIDE  (APIC_BASE + 0x3e0)
#define TIMER_VECTOR 0x40
#define CALIBRATE    1000000u           /* timer ticks */
#define PULSES       100u
#define SLEEP_US     20000u
#define LATE_US      4000u
#define MEMORY       ((volatile uint32_t *)0x400000)

static volatile uint64_t came;

static void on_timer(struct rt_frame *frame)
{
	came = rdtsc();
	mmio_write32(APIC_EOI, 0);
}

static uint32_t tsc_khz(void)
{
	uint32_t r[4];

	cpuid(rt_xen_leaf() + 3, 0, r);
	RT_CHECK(r[2] != 0);
	return r[2];
}

static void burn(uint64_t ms)
{
	uint64_t end = rdtsc() + ms * tsc_khz();

	while (ms == 0 || rdtsc() < end) {
		__asm__ volatile("" : : : "memory");
	}
}

/* Sleep for so many ticks of the timer; the time it took in TSC ticks. */
static uint64_t nap(uint32_t ticks)
{
	uint64_t start = rdtsc();

	came = 0;
	mmio_write32(APIC_INIT, ticks);
	while (came == 0) {
		rt_wait_irq();
	}
	return came - start;
}

/* How late are the interrupts of many naps, beside the shortest of them? */
static void pulse(void)
{
	static uint32_t took[PULSES];
	uint32_t ticks, tsc_per_us = tsc_khz() / 1000, shortest = ~0u, longest = 0, late = 0;

	rt_set_handler(TIMER_VECTOR, on_timer);
	mmio_write32(APIC_SVR, 0x1ff);
	mmio_write32(APIC_DIVIDE, 0xb);
	mmio_write32(APIC_TIMER, TIMER_VECTOR);
	/* A tick is 1 ns or 10 ns. */
	ticks = nap(CALIBRATE) < 5000ull * tsc_per_us ? SLEEP_US * 1000 : SLEEP_US * 100;
	for (uint32_t i = 0; i < PULSES; i++) {
		took[i] = (uint32_t)nap(ticks) / tsc_per_us;
		shortest = took[i] < shortest ? took[i] : shortest;
		longest = took[i] > longest ? took[i] : longest;
	}
	for (uint32_t i = 0; i < PULSES; i++) {
		late += took[i] - shortest > LATE_US;
	}
	rt_printf("load: pulse: %u of %u late, at most %u us\n", late, PULSES, longest - shortest);
}

/* The number in the command line, in MiB, as a count of words. */
static uint32_t words_wanted(const char *line)
{
	uint32_t mib = 0;

	for (; *line != '\0'; line++) {
		if (*line >= '0' && *line <= '9') {
			mib = mib * 10 + (uint32_t)(*line - '0');
		}
	}
	return mib * (1024 * 1024 / sizeof(uint32_t));
}

/* The memory from MEMORY on, but for the loader's tables, which lie below it. */
static void memory(const char *line)
{
	uint32_t words = words_wanted(line), found = 0;
	volatile uint32_t *area = MEMORY;

	for (uint32_t i = 0; i < words; i++) {
		if (line[0] == 'd') {
			area[i] = 0xd1d1d1d1;
		} else if (area[i] != 0) {
			found++;
		}
	}
	RT_CHECK(found == 0);
	rt_printf("load: memory %s\n", line);
}

int guest_main(const struct hvm_start_info *info)
{
	const char *line = (const char *)(uintptr_t)info->cmdline_paddr;

	if (line != NULL && line[0] == 'i') {
		rt_puts("load: idle\n");
		for (;;) {
			rt_wait_irq();
		}
	}
	if (line != NULL && line[0] == 'b') {
		rt_puts("load: burns\n");
		burn(0);
	}
	if (line != NULL && line[0] == 'p') {
		pulse();
	}
	if (line != NULL && (line[0] == 'd' || line[0] == 'c')) {
		memory(line);
	}
	burn(10);
	rt_puts("load: OK\n");
	return 0;
}
