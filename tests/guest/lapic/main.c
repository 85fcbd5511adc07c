/*
 * The local APIC: registers, interrupts to itself and their priorities, the timer in one-shot and
 * periodic mode. Manual: "Intel 64 and IA-32 Architectures Software Developer's Manual", advanced
 * programmable interrupt controller.
 */
#include "tests/guest/rt/rt.h"

#define LAPIC 0xfee00000
enum {
	VERSION = 0x30, TPR = 0x80, EOI = 0xb0, SPIV = 0xf0, ISR = 0x100, IRR = 0x200, ICR = 0x300,
	LVT_TIMER = 0x320, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0
};
enum { LOW = 0x51, HIGH = 0x91, TIMER = 0x61 };
#define SELF      0x40000u
#define MASKED    0x10000u
#define PERIODIC  0x20000u
#define SHORT     1000000u

static char order[8];
static unsigned int taken;

static uint32_t get(uint32_t reg)
{
	return mmio_read32(LAPIC + reg);
}

static void put(uint32_t reg, uint32_t value)
{
	mmio_write32(LAPIC + reg, value);
}

/* Is the vector's bit set in the ISR or IRR group? */
static bool bit(uint32_t group, uint8_t vector)
{
	return get(group + vector / 32 * 16) >> vector % 32 & 1;
}

static void on_any(struct rt_frame *frame)
{
	RT_CHECK(bit(ISR, (uint8_t)frame->vector));
	/* A slow machine may have more of a periodic timer's interrupts pending than are waited for. */
	order[taken++ % sizeof(order)] = frame->vector == LOW ? 'l' : frame->vector == HIGH ? 'h' : 't';
	put(EOI, 0);
	RT_CHECK(!bit(ISR, (uint8_t)frame->vector));
}

static void registers(void)
{
	RT_CHECK((get(VERSION) & 0xff) >= 0x10);
	put(SPIV, 0x1ff);
	RT_CHECK((get(SPIV) & 0x1ff) == 0x1ff);
	put(TPR, 0x35);
	RT_CHECK(get(TPR) == 0x35);
	put(TPR, 0);
	put(LVT_TIMER, MASKED | TIMER);
	RT_CHECK(get(LVT_TIMER) == (MASKED | TIMER));
}

/* Both requested with interrupts off: the higher vector comes first. */
static void priorities(void)
{
	taken = 0;
	put(ICR, SELF | LOW);
	put(ICR, SELF | HIGH);
	RT_CHECK(bit(IRR, LOW) && bit(IRR, HIGH));
	rt_irq_on();
	__asm__ volatile("nop; nop");
	rt_irq_off();
	RT_CHECK(taken == 2 && order[0] == 'h' && order[1] == 'l');
	RT_CHECK(!bit(IRR, LOW) && !bit(IRR, HIGH));
}

/* The task priority holds the lower class back until it is lowered. */
static void task_priority(void)
{
	taken = 0;
	put(TPR, 0x60);
	rt_irq_on();
	put(ICR, SELF | LOW);
	__asm__ volatile("nop; nop");
	RT_CHECK(taken == 0 && bit(IRR, LOW));
	put(TPR, 0);
	__asm__ volatile("nop; nop");
	rt_irq_off();
	RT_CHECK(taken == 1);
}

static void timer(void)
{
	uint32_t before;

	taken = 0;
	put(DIVIDE, 0x0b);                      /* by 1 */
	put(LVT_TIMER, TIMER);
	put(INITIAL, SHORT);
	while (taken == 0) {
		rt_wait_irq();
	}
	RT_CHECK(get(CURRENT) == 0);
	RT_CHECK(taken == 1 && order[0] == 't');

	taken = 0;
	put(LVT_TIMER, PERIODIC | TIMER);
	put(INITIAL, SHORT);
	while (taken < 3) {
		rt_wait_irq();
	}
	put(LVT_TIMER, PERIODIC | MASKED | TIMER);
	before = get(CURRENT);
	RT_CHECK(before <= SHORT);
	put(INITIAL, 0);
	RT_CHECK(get(CURRENT) == 0);
}

int guest_main(const struct hvm_start_info *info)
{
	(void)info;
	rt_set_handler(LOW, on_any);
	rt_set_handler(HIGH, on_any);
	rt_set_handler(TIMER, on_any);
	registers();
	priorities();
	task_priority();
	timer();
	rt_puts("lapic: OK\n");
	return 0;
}
