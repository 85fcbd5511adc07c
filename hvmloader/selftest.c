/*
 * Checks of the virtual machine from inside.
 *
 * A failure is reported and the guest goes on: the report is for whoever works on the hypervisor.
 * Uses CMOS register D, the PCI address register, timer channel 2 and the ACPI timer; leaves them
 * as they were. Manuals: "MC146818A Real-Time Clock plus RAM"; "8254 Programmable Interval
 * Timer".
 */
#include "hvmloader/selftest.h"

#include "hvmloader/layout.h"
#include "hvmloader/util.h"

#define RTC_REG_D       0x0d
#define RTC_VALID       0x80
#define STRING_BYTES    8
#define PCI_ADDRESS     0xcf8
#define PCI_PATTERN     0x8000f8fcu

#define PIT_MODE        0x43
#define PIT_CHANNEL2    0x42
#define PORT_SPEAKER    0x61
#define PIT_CH2_MODE0   0xb0
#define SPEAKER_GATE    0x01
#define SPEAKER_OUT     0x20
#define PIT_TICKS       11932u   /* 10 ms; the ACPI timer runs exactly three times as fast */
#define PM_PER_PIT      3u
#define PM_TOLERANCE    2000u
#define PM_LIMIT        3579545u /* one second */

static uint8_t window[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void rep_insb(uint16_t port, void *to, uint32_t count)
{
	__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}

static void rep_insl(uint16_t port, void *to, uint32_t count)
{
	__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
}

/* String input that crosses a page, from a chip of the hypervisor. */
static bool test_string_byte(void)
{
	uint8_t *at = window + PAGE_SIZE - 3;

	memset(window, 0, sizeof(window));
	outb(PORT_CMOS, RTC_REG_D);
	rep_insb(PORT_CMOS + 1, at, STRING_BYTES);
	for (unsigned int i = 0; i < STRING_BYTES; i++) {
		if (at[i] != RTC_VALID) {
			return false;
		}
	}
	return at[-1] == 0 && at[STRING_BYTES] == 0;
}

/*
 * The same from the device model: its copy of the PCI address register. The start decides whether
 * an element crosses the page by itself.
 */
static bool string_long(uint8_t *at)
{
	uint32_t old = inl(PCI_ADDRESS), got[4];
	bool same = true;

	memset(window, 0, sizeof(window));
	outl(PCI_ADDRESS, PCI_PATTERN);
	rep_insl(PCI_ADDRESS, at, ARRAY_SIZE(got));
	outl(PCI_ADDRESS, old);
	memcpy(got, at, sizeof(got));
	for (unsigned int i = 0; i < ARRAY_SIZE(got); i++) {
		same = same && got[i] == PCI_PATTERN;
	}
	return same && at[-1] == 0 && at[sizeof(got)] == 0;
}

static bool test_string_long(void)
{
	return string_long(window + PAGE_SIZE - 8);
}

static bool test_string_split(void)
{
	return string_long(window + PAGE_SIZE - 6);
}

static bool test_cpuid(void)
{
	uint32_t basic[4], leaf1[4], extended[4];

	cpuid(0, 0, basic);
	cpuid(1, 0, leaf1);
	cpuid(0x80000000, 0, extended);
	/* Hypervisor bit, APIC, TSC, MSRs; and this CPU's APIC ID is 0. */
	return basic[0] >= 1 && extended[0] >= 0x80000000 && (leaf1[2] & 1u << 31) &&
	       (leaf1[3] & 1u << 9) && (leaf1[3] & 1u << 4) && (leaf1[3] & 1u << 5) &&
	       leaf1[1] >> 24 == LAYOUT_APIC_ID(0);
}

/* What was written by smp.c reads back: enabled, write-back by default. */
static bool test_memory_types(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	return !(r[3] & 1u << 12) || (rdmsr(0x2ff) & 0x8ff) == 0x806;
}

/* One-shot on channel 2 against the ACPI timer. */
static bool test_timers(void)
{
	uint8_t speaker = inb(PORT_SPEAKER);
	uint32_t start, elapsed;

	outb(PORT_SPEAKER, (uint8_t)((speaker & ~3) | SPEAKER_GATE));
	outb(PIT_MODE, PIT_CH2_MODE0);
	outb(PIT_CHANNEL2, PIT_TICKS & 0xff);
	outb(PIT_CHANNEL2, PIT_TICKS >> 8);
	start = inl(PORT_PM_TMR);
	do {
		elapsed = inl(PORT_PM_TMR) - start;
	} while (!(inb(PORT_SPEAKER) & SPEAKER_OUT) && elapsed < PM_LIMIT);
	outb(PORT_SPEAKER, speaker);
	if (elapsed + PM_TOLERANCE < PIT_TICKS * PM_PER_PIT ||
	    elapsed > PIT_TICKS * PM_PER_PIT + PM_TOLERANCE) {
		print("self test: %u timer ticks took %u ACPI timer ticks\n", PIT_TICKS, elapsed);
		return false;
	}
	return true;
}

static const struct {
	const char *name;
	bool (*run)(void);
	bool slow;
} tests[] = {
	{ "CPUID", test_cpuid, false },
	{ "memory types", test_memory_types, false },
	{ "byte string input across pages", test_string_byte, false },
	{ "long string input across pages", test_string_long, false },
	{ "long string input, an element across pages", test_string_split, true },
	{ "timer against ACPI timer", test_timers, true },
};

void selftest_run(bool slow)
{
	unsigned int ran = 0, failed = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		if (tests[i].slow && !slow) {
			continue;
		}
		ran++;
		if (!tests[i].run()) {
			failed++;
			print("self test FAILED: %s\n", tests[i].name);
		}
	}
	print("self tests: %u run, %u failed\n", ran, failed);
}
