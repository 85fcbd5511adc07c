/*
 * The 8259 pair: what reads back, and interrupts of the timer through it in the right order.
 * Manual: "8259A Programmable Interrupt Controller".
 */
#include "tests/guest/rt/rt.h"

enum { MASTER = 0x20, SLAVE = 0xa0 };
#define VECTOR_MASTER 0x40
#define VECTOR_SLAVE  0x48
#define LAPIC_SPIV    0xfee000f0
#define LAPIC_LVT0    0xfee00350
#define TICKS         5

static volatile unsigned int ticks, others;

static void on_timer(struct rt_frame *frame)
{
	(void)frame;
	ticks++;
	outb(MASTER, 0x0b);                     /* read the in-service register */
	RT_CHECK(inb(MASTER) == 0x01);
	outb(MASTER, 0x20);                     /* end of interrupt */
	RT_CHECK(inb(MASTER) == 0x00);
}

static void on_other(struct rt_frame *frame)
{
	(void)frame;
	others++;
}

static void init_pair(void)
{
	outb(MASTER, 0x11);
	outb(MASTER + 1, VECTOR_MASTER);
	outb(MASTER + 1, 0x04);
	outb(MASTER + 1, 0x01);
	outb(SLAVE, 0x11);
	outb(SLAVE + 1, VECTOR_SLAVE);
	outb(SLAVE + 1, 0x02);
	outb(SLAVE + 1, 0x01);
}

static void registers(void)
{
	outb(MASTER + 1, 0xa5);
	outb(SLAVE + 1, 0x5a);
	RT_CHECK(inb(MASTER + 1) == 0xa5);
	RT_CHECK(inb(SLAVE + 1) == 0x5a);
	outb(MASTER + 1, 0xff);
	outb(SLAVE + 1, 0xff);
	outb(0x4d0, 0x20);
	outb(0x4d1, 0x0c);
	RT_CHECK(inb(0x4d0) == 0x20);
	RT_CHECK(inb(0x4d1) == 0x0c);
	/* Interrupts 0, 1, 2, 8 and 13 are edge-triggered for ever. */
	outb(0x4d0, 0xff);
	outb(0x4d1, 0xff);
	RT_CHECK((inb(0x4d0) & 0x07) == 0);
	RT_CHECK((inb(0x4d1) & 0x21) == 0);
	outb(0x4d0, 0);
	outb(0x4d1, 0);
}

/* The boot processor takes the pair's interrupts through its local APIC's LINT0. */
static void virtual_wire(void)
{
	mmio_write32(LAPIC_SPIV, 0x1ff);
	mmio_write32(LAPIC_LVT0, 0x700);
}

static void timer_interrupts(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		rt_set_handler((uint8_t)(VECTOR_MASTER + i), on_other);
	}
	rt_set_handler(VECTOR_MASTER, on_timer);
	outb(0x43, 0x34);                       /* channel 0, rate generator, 1 kHz */
	outb(0x40, 0xa9);
	outb(0x40, 0x04);
	outb(MASTER + 1, 0xfe);
	while (ticks < TICKS) {
		rt_wait_irq();
	}
	RT_CHECK(others == 0);
	/* Masked: nothing more, though requests go on. */
	outb(MASTER + 1, 0xff);
	ticks = 0;
	rt_irq_on();
	for (uint64_t end = rdtsc() + 20000000; rdtsc() < end;) {
		__asm__ volatile("pause");
	}
	rt_irq_off();
	RT_CHECK(ticks == 0);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	init_pair();
	registers();
	virtual_wire();
	timer_interrupts();
	rt_printf("pic: %u other interrupts\n", others);
	rt_puts("pic: OK\n");
	return 0;
}
