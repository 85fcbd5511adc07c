/*
 * The bystander: looks at its own clocks and memory while other guests do their worst, and says once a second that it
 * is well. Without a command line three times; with "beats=N" N times; then it powers off.
 *
 * Clocks may only go forward and must agree; interrupts of the periodic timer must keep coming; what it wrote into its
 * memory must be there. It may be kept waiting: no beat is ever too late, only wrong.
 */
#include "tests/guest/rt/rt.h"

#define APIC_BASE    0xfee00000u
#define APIC_EOI     (APIC_BASE + 0xb0)
#define APIC_SVR     (APIC_BASE + 0xf0)
#define APIC_TIMER   (APIC_BASE + 0x320)
#define APIC_INIT    (APIC_BASE + 0x380)
#define APIC_DIVIDE  (APIC_BASE + 0x3e0)
#define PM_TIMER     0x1f48u            /* before the firmware moves it */
#define PM_HZ        3579545u
#define PM_MASK      0xffffffffu
#define TIMER_VECTOR 0x40
#define TICK_NS      10000000u          /* of the periodic interrupt; the APIC's clock has 1 GHz or 100 MHz */
#define AREA_WORDS   (512 * 1024)
#define AREA         ((volatile uint32_t *)0x400000)

static volatile uint32_t ticks;

static void on_timer(struct rt_frame *frame)
{
	ticks++;
	mmio_write32(APIC_EOI, 0);
}

static uint32_t pattern(uint32_t i, uint32_t beat)
{
	return (i * 2654435761u) ^ (beat << 7) ^ 0x5a5a5a5au;
}

/* A part of the memory is checked and written anew each time. */
static void memory_beat(uint32_t beat)
{
	for (uint32_t i = beat % 16; i < AREA_WORDS; i += 16) {
		uint32_t last = beat >= 16 ? beat - 16 : 0;

		RT_CHECK(beat < 16 || AREA[i] == pattern(i, last));
		AREA[i] = pattern(i, beat);
	}
}

/* Wait a second by the ACPI timer; the time-stamp counter must not go back meanwhile. */
static void clock_beat(void)
{
	uint32_t start = inl(PM_TIMER), before = ticks, now = start;
	uint64_t tsc = rdtsc();

	while (now - start < PM_HZ) {
		rt_wait_irq();
		uint32_t next = inl(PM_TIMER);
		uint64_t later = rdtsc();

		RT_CHECK(next - now < 0x80000000u);
		RT_CHECK(later > tsc);
		now = next;
		tsc = later;
	}
	RT_CHECK(ticks != before);
}

/* After "beats=" in the command line. */
static uint32_t beats_wanted(const char *line)
{
	uint32_t value = 0;

	for (; line != NULL && *line != '\0'; line++) {
		if (*line >= '0' && *line <= '9') {
			value = value * 10 + (uint32_t)(*line - '0');
		}
	}
	return value != 0 ? value : 3;
}

int guest_main(const struct hvm_start_info *info)
{
	uint32_t beats = beats_wanted((const char *)(uintptr_t)info->cmdline_paddr);

	rt_set_handler(TIMER_VECTOR, on_timer);
	mmio_write32(APIC_SVR, 0x1ff);
	mmio_write32(APIC_DIVIDE, 0xb);
	mmio_write32(APIC_TIMER, 0x20000 | TIMER_VECTOR);
	mmio_write32(APIC_INIT, TICK_NS);
	for (uint32_t beat = 0; beat < beats; beat++) {
		memory_beat(beat);
		clock_beat();
		rt_printf("witness: beat %u\n", beat + 1);
	}
	mmio_write32(APIC_INIT, 0);
	rt_puts("witness: OK\n");
	return 0;
}
