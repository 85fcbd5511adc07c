/*
 * The I/O APIC: registers, and the timer's interrupt through pin 2, masked and not, edge and with
 * the ExtINT way of pin 0 closed. Manual: "82093AA I/O Advanced Programmable Interrupt Controller
 * (IOAPIC)".
 */
#include "tests/guest/rt/rt.h"

#define IOAPIC   0xfec00000
#define LAPIC    0xfee00000
enum { ID = 0, VERSION = 1, ARBITRATION = 2, PIN = 0x10 };
enum { SPIV = 0xf0, EOI = 0xb0, LVT0 = 0x350 };
#define PINS     48u
#define MASKED   0x10000u
#define LEVEL    0x8000u
#define VECTOR   0x71
#define TIMER_PIN 2
#define TICKS    5

static volatile unsigned int ticks;

static uint32_t get(uint32_t reg)
{
	mmio_write32(IOAPIC, reg);
	return mmio_read32(IOAPIC + 0x10);
}

static void put(uint32_t reg, uint32_t value)
{
	mmio_write32(IOAPIC, reg);
	mmio_write32(IOAPIC + 0x10, value);
}

static void on_timer(struct rt_frame *frame)
{
	(void)frame;
	ticks++;
	mmio_write32(LAPIC + EOI, 0);
}

static void registers(void)
{
	/* 82093AA, or one with an EOI register */
	RT_CHECK((get(VERSION) & 0xff) == 0x11 || (get(VERSION) & 0xff) == 0x20);
	RT_CHECK((get(VERSION) >> 16 & 0xff) == PINS - 1);
	put(ID, 0x01000000);
	RT_CHECK(get(ID) == 0x01000000);
	for (uint32_t pin = 0; pin < PINS; pin++) {
		put(PIN + 2 * pin, MASKED | (0x30 + pin));
		put(PIN + 2 * pin + 1, 0);
		RT_CHECK((get(PIN + 2 * pin) & 0x1ffff) == (MASKED | (0x30 + pin)));
	}
	/* Delivery status and remote IRR cannot be written. */
	put(PIN + 2 * 20, MASKED | LEVEL | 0x5000 | 0x60);
	RT_CHECK((get(PIN + 2 * 20) & 0x5000) == 0);
	RT_CHECK((get(PIN + 2 * 20) & LEVEL) != 0);
	put(PIN + 2 * 20 + 1, 0x0f000000);
	RT_CHECK(get(PIN + 2 * 20 + 1) == 0x0f000000);
}

static void pass_time(void)
{
	for (uint64_t end = rdtsc() + 20000000; rdtsc() < end;) {
		__asm__ volatile("pause");
	}
}

static void timer(void)
{
	rt_set_handler(VECTOR, on_timer);
	mmio_write32(LAPIC + SPIV, 0x1ff);
	mmio_write32(LAPIC + LVT0, 0x10700);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	outb(0x43, 0x34);                       /* channel 0, rate generator, 1 kHz */
	outb(0x40, 0xa9);
	outb(0x40, 0x04);
	put(PIN + 2 * TIMER_PIN, VECTOR);
	while (ticks < TICKS) {
		rt_wait_irq();
	}
	put(PIN + 2 * TIMER_PIN, MASKED | VECTOR);
	rt_irq_on();
	pass_time();                            /* what was on its way arrives */
	ticks = 0;
	pass_time();
	rt_irq_off();
	RT_CHECK(ticks == 0);
	put(PIN + 2 * TIMER_PIN, VECTOR);
	while (ticks == 0) {
		rt_wait_irq();
	}
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	registers();
	timer();
	rt_puts("ioapic: OK\n");
	return 0;
}
